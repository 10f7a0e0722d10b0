"use strict"; // Keys, and what to do when the ledger moves on. Everything works without it.
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

  // The ledger moves on: lists follow, other pages say so. Hidden pages do not listen.
  let source = null, known = null;
  const follows = async (position) => {
    const main = document.querySelector("main");
    const busy = main.contains(document.activeElement) && document.activeElement !== main;
    if ("live" in main.dataset && !busy) {
      const answer = await fetch(location.href);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.ok) main.replaceChildren(...page.querySelector("main").childNodes);
      place = -1;
      return;
    }
    const said = document.querySelector(".moved") || document.createElement("p");
    const again = document.createElement("a");
    again.href = location.href;
    again.textContent = document.body.dataset.again;
    said.className = "moved";
    said.setAttribute("role", "status");
    said.replaceChildren(document.body.dataset.moved + position + ". ", again);
    main.prepend(said);
  };
  const listen = () => {
    if (document.hidden) {
      if (source) source.close();
      source = null;
    } else if (!source) {
      source = new EventSource("/api/moved");
      source.onmessage = ({ data }) => {
        if (known !== null && data !== known) follows(data);
        known = data;
      };
    }
  };
  document.addEventListener("visibilitychange", listen);
  listen();

  // Long work: how far it is; its end is another page.
  const job = document.querySelector("[data-job]");
  if (job) {
    const hears = new EventSource("/api/jobs/" + job.dataset.job);
    hears.onmessage = ({ data }) => {
      const told = JSON.parse(data), bar = job.querySelector("progress");
      if (told.over) {
        hears.close();
        location.reload();
        return;
      }
      job.querySelector("p").textContent = told.text;
      if (told.total === null) bar.removeAttribute("value");
      else [bar.max, bar.value] = [Math.max(told.total, 1), told.done];
    };
    // Nobody tells any more: the server may have ended.
    hears.onerror = () => { if (hears.readyState === EventSource.CLOSED) location.reload(); };
  }

  // A point of the chart leads to where its value comes from: the line nearest to the pointer, by key
  // the first. A double click shows all of it, so one click waits for a second.
  const chart = document.querySelector("#chart[data-symbol]");
  if (chart) {
    let began = null, ended = -1000, waiting = null;
    const leads = (y) => {
      const points = [...chart.querySelectorAll("#cursor [data-view]")];
      const far = (point) => Math.abs(Number(point.dataset.y) - y);
      if (y !== null) points.sort((a, b) => far(a) - far(b));
      if (!points.length) return;
      const at = chart.dataset.at ? "?at=" + chart.dataset.at : "";
      location.href = `/why/${points[0].dataset.view}/${chart.dataset.symbol}/${chart.dataset.day}${at}`;
    };
    chart.addEventListener("pointerdown", (event) => {
      clearTimeout(waiting);
      const again = event.timeStamp - ended < 400;
      began = event.button === 0 && !again ? [event.clientX, event.clientY] : null;
    });
    // Not `click`: what was pressed may have been drawn anew since.
    chart.addEventListener("pointerup", (event) => {
      const svg = chart.querySelector("svg"), box = svg.getBoundingClientRect();
      ended = event.timeStamp;
      if (!began || Math.hypot(event.clientX - began[0], event.clientY - began[1]) > 4) return;
      const y = ((event.clientY - box.top) / box.height) * svg.viewBox.baseVal.height;
      waiting = setTimeout(leads, 420, y);
    });
    chart.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === chart) leads(null);
    });
  }

  // A picture that is wider than its place begins at its newest end: where its last day or month is.
  for (const box of document.querySelectorAll("#chart, .scroll.wide")) {
    const told = box.querySelectorAll("svg rect > title"), end = box.scrollWidth - box.clientWidth;
    const last = told.length ? told[told.length - 1].parentNode.getBoundingClientRect().right : Infinity;
    const to = last - box.getBoundingClientRect().right + 24;
    box.scrollLeft = end - to < 160 ? end : to;
  }

  // Files may be dropped anywhere on the page that takes some.
  const files = document.querySelector("form.upload #files");
  if (files) {
    const told = document.getElementById("chosen");
    const names = () => { told.textContent = [...files.files].map((file) => file.name).join(", "); };
    const dragged = (event) => {
      const own = event.target.closest && event.target.closest("input[type=file]");
      if (own || !event.dataTransfer || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      const over = event.type === "dragenter" || event.type === "dragover";
      document.body.classList.toggle("dropping", over);
      if (event.type !== "drop") return;
      files.files = event.dataTransfer.files;
      names();
      files.focus();
    };
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
      document.addEventListener(type, dragged);
    }
    files.addEventListener("change", names);
    names();
  }

  const range = document.getElementById("at"), told = document.getElementById("at-is");
  if (range && told) {
    range.addEventListener("input", () => {
      told.textContent = told.textContent.replace(/^\d+/, range.value);
    });
  }
})();
