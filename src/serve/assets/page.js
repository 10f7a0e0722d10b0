"use strict"; // Keys, and a word when the ledger has moved on. Everything works without it.
(() => {
  const typing = (target) => target.closest("input, select, textarea, #chart");
  const rows = () => [...document.querySelectorAll("table.rows tbody tr")];
  let place = -1, began = false;

  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    if (all[place]) all[place].classList.remove("here");
    place = Math.min(Math.max(place + step, 0), all.length - 1);
    all[place].classList.add("here");
    const link = all[place].querySelector("a");
    if (link) link.focus();
    all[place].scrollIntoView({ block: "nearest" });
  };
  const follow = (selector) => {
    const link = document.querySelector(selector);
    if (link) link.click();
  };
  const focus = (selector) => {
    const found = document.querySelector(selector);
    if (found) found.focus();
    return Boolean(found);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const key = event.key;
    if (began) {
      began = false;
      if (/^[a-z]$/.test(key)) follow(`nav a[data-key="${key}"]`);
      return;
    }
    if (key === "g") began = true;
    else if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "[" ) follow('a[rel="prev"]');
    else if (key === "]") follow('a[rel="next"]');
    else if (key === "c") focus("#decision") || focus(".decisions button");
    else if (key === "/" && focus("main input:not([type=hidden]), main textarea")) event.preventDefault();
    else if (key === "?") {
      const keys = document.querySelector("details.keys");
      keys.open = !keys.open;
      keys.querySelector("summary").focus();
    }
  });

  const range = document.getElementById("at"), told = document.getElementById("at-is");
  if (range && told) {
    range.addEventListener("input", () => {
      told.textContent = told.textContent.replace(/^\d+/, range.value);
    });
  }
})();
