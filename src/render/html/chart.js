"use strict"; // Zoom, pan and a shared cursor over the picture that the page already has.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { days, lines, panels, strips, left, right, bottom } = data;
  const byId = (id) => document.getElementById(id);
  const chart = byId("chart"), svg = chart.querySelector("svg"), readout = byId("readout");
  const size = svg.viewBox.baseVal, wide = right - left, last = days.length - 1;
  const fewest = Math.min(last, 4);
  let from = 0, to = last, cursor = last, queued = false;
  const x = (i) => (last > 0 ? left + (wide * (i - from)) / (to - from) : left + wide * (i + 0.5));
  const add = (parent, name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const clear = (id) => (byId(id).replaceChildren(), byId(id));
  const rule = (parent, kind, x1, y1, x2, y2) => add(parent, "line", { class: kind, x1, y1, x2, y2 });
  const upright = (parent, kind, at) => {
    for (const { top, height } of panels) rule(parent, kind, at, top, at, top + height);
  };
  const label = (parent, kind, at, y, anchor, text) =>
    add(parent, "text", { class: kind, x: at, y, "text-anchor": anchor }, text);

  // The same round steps as in the program.
  const ticks = (low, high, parts) => {
    const span = Math.max(high - low, Math.max(Math.abs(low), Math.abs(high)) * 1e-9, 1e-300);
    const rough = span / parts, power = 10 ** Math.floor(Math.log10(rough));
    const part = [1, 2, 2.5, 5, 10].find((one) => one * power >= rough * 0.999999) || 10;
    const step = part * power, first = Math.floor(low / step + 1e-9), found = [];
    const end = Math.max(Math.ceil(high / step - 1e-9), first + 1);
    for (let i = first; i <= end; i++) found.push(i * step);
    return found;
  };
  const digitsOf = (step, n = 0) =>
    n > 8 || Math.abs(Number(step.toFixed(n)) - step) <= step * 1e-6 ? n : digitsOf(step, n + 1);
  const written = (panel, value, digits) => {
    const text = Math.abs(value).toFixed(digits);
    const [whole, rest] = text.split(".");
    const sign = value < 0 && Number(text) !== 0 ? "\u2212" : "";
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return sign + panel.prefix + grouped + (rest ? "." + rest : "") + panel.suffix;
  };
  const ticked = (panel, value, step) => Math.abs(value) < 1e6
    ? written(panel, value, digitsOf(step))
    : written({ ...panel, suffix: " M" + panel.suffix }, value / 1e6, digitsOf(step / 1e6));
  const batchOf = (spans, i) => (spans.find((span) => span[1] <= i && i <= span[2]) || [""])[0];
  const drawPanel = (panel, number) => {
    const own = lines.filter((line) => line.panel === number);
    const first = Math.max(Math.floor(from) - 1, 0), end = Math.min(Math.ceil(to) + 1, last);
    let low = Infinity, high = -Infinity;
    for (const { values } of own) {
      for (const value of values.slice(Math.ceil(from), Math.floor(to) + 1)) {
        if (value === null) continue;
        [low, high] = [Math.min(low, value * panel.factor), Math.max(high, value * panel.factor)];
      }
    }
    if (low > high) [low, high] = panel.ends;  // nothing of it is in sight
    if (panel.fixed) [low, high] = [Math.min(low, panel.fixed[0]), Math.max(high, panel.fixed[1])];
    const pad = high > low ? 0 : Math.max(Math.abs(low) * 0.1, 1e-3);
    const marks = ticks(low - pad, high + pad, Math.floor(panel.height / 48));
    const base = marks[0], top = marks[marks.length - 1], step = marks[1] - base;
    panel.y = (value) => panel.top + (panel.height * (top - value * panel.factor)) / (top - base);
    const grid = clear("grid" + number);
    for (const mark of marks) {
      const y = panel.y(mark / panel.factor);
      rule(grid, "grid", left, y, right, y);
      label(grid, "", left - 8, y + 4, "end", ticked(panel, mark, step));
    }
    const group = clear("lines" + number);
    own.forEach(({ values }, which) => {
      let path = "", points = "";
      for (let i = first; i <= end; i++) {
        if (values[i] === null) continue;
        const place = x(i).toFixed(1) + " " + panel.y(values[i]).toFixed(1);
        const joined = i > 0 && values[i - 1] !== null, goesOn = i < last && values[i + 1] !== null;
        if (!joined && !goesOn) points += "M" + place + "h0";
        else path += (joined && path && i > first ? "L" : "M") + place;
      }
      if (path) add(group, "path", { class: "l d" + (which % 6), d: path });
      if (points) add(group, "path", { class: "p d" + (which % 6), d: points });
    });
  };
  const drawTime = () => {
    const group = clear("time"), first = Math.ceil(from), end = Math.floor(to);
    const span = (Date.parse(days[end]) - Date.parse(days[first])) / 864e5;
    const part = span > 1500 ? 4 : span >= 60 ? 7 : 10;
    let free = -Infinity, before = part < 10 ? days[first].slice(0, part) : "";
    for (let i = first; i <= end; i++) {
      const text = days[i].slice(0, part), half = text.length * 3.9 + 7;
      if (text === before) continue;
      before = text;
      if (x(i) - half < Math.max(free, left - 30) || x(i) + half > size.width - 2) continue;
      free = x(i) + half;
      upright(group, "grid", x(i));
      label(group, "", x(i), bottom + 17, "middle", text);
    }
    for (const { top, height } of panels) rule(group, "axis", left, top + height, right, top + height);
  };
  const drawBatches = () => {
    const group = clear("batches"), cuts = new Set();
    for (const { series, top, spans } of strips) {
      label(group, "m", left - 8, top + 12, "end", "batch " + series);
      spans.forEach(([name, first, end], number) => {
        const a = Math.max(x(first - 0.5), left), b = Math.min(x(end + 0.5), right);
        if (number > 0 && x(first - 0.5) > left && x(first - 0.5) < right) cuts.add(first);
        if (b <= a) return;
        const band = add(group, "rect", { class: "b b" + (number % 2), x: a, y: top + 0.5,
          width: Math.max(b - a, 1), height: 14 });
        add(band, "title", {}, name + ": " + days[first] + " \u2026 " + days[end]);
        if (b - a >= name.length * 6.5 + 4) label(group, "s", (a + b) / 2, top + 12, "middle", name);
      });
    }
    if (cuts.size > 12) return;
    for (const cut of cuts) upright(group, "cut", x(cut - 0.5));
  };
  const drawCursor = () => {
    const group = clear("cursor"), at = x(cursor), told = [];
    const seen = at >= left - 1 && at <= right + 1;
    if (seen) upright(group, "cursor", at);
    for (const line of lines) {
      const value = line.values[cursor], panel = panels[line.panel];
      if (value === null) { told.push(line.name + " \u2013"); continue; }
      told.push(line.name + " " + written(panel, value * panel.factor, panel.digits) +
        batchOf(line.spans, cursor).replace(/.+/, " ($&)"));
      if (seen) {
        const which = lines.filter((other) => other.panel === line.panel).indexOf(line) % 6;
        const y = panel.y(value), d = "M" + at + " " + y + "h0";
        add(group, "path", { class: "p big d" + which, "data-view": line.view, "data-y": y, d });
      }
    }
    readout.textContent = (chart.dataset.day = days[cursor]) + ": " + told.join(", ");
  };
  const drawAll = () => {
    queued = false;
    panels.forEach(drawPanel); drawTime(); drawBatches(); drawCursor();
  };
  const draw = () => { if (!queued) queued = Boolean(requestAnimationFrame(drawAll)); };
  const show = (a, b) => {
    const span = Math.min(Math.max(b - a, fewest), last);
    a = Math.min(Math.max(a, 0), last - span);
    const moved = a !== from || a + span !== to;
    [from, to] = [a, a + span];
    if (moved) draw();
    return moved;
  };
  const zoom = (factor, around) =>
    show(around - (around - from) * factor, around + (to - around) * factor);
  const pan = (share) => show(from + share * (to - from), to + share * (to - from));
  const reset = () => show(0, last);
  const put = (place) => {
    cursor = Math.min(Math.max(Math.round(place), 0), last);
    if (cursor < from) show(cursor, cursor + to - from);
    if (cursor > to) show(cursor - (to - from), cursor);
    draw();
  };
  const placeOf = (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * size.width;
    return Math.min(Math.max(from + ((at - left) / wide) * (to - from), from), to);
  };
  svg.addEventListener("wheel", (event) => {
    const moved = event.deltaX && Math.abs(event.deltaX) > Math.abs(event.deltaY)
      ? pan(event.deltaX / 500) : zoom(1.0015 ** event.deltaY, placeOf(event));
    if (moved) event.preventDefault();
  }, { passive: false });
  let held = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0) held = { at: event.clientX, from, to };
    if (held) svg.setPointerCapture(event.pointerId);
    if (event.pointerType !== "mouse") put(placeOf(event));
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) { put(placeOf(event)); return; }
    const moved = ((held.at - event.clientX) / svg.getBoundingClientRect().width) * size.width;
    const by = (moved / wide) * (held.to - held.from);
    show(held.from + by, held.to + by);
  });
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => { held = null; });
  svg.addEventListener("dblclick", reset);
  const keys = {
    ArrowLeft: (far) => put(cursor - far), ArrowRight: (far) => put(cursor + far),
    Home: () => put(0), End: () => put(last), PageUp: () => pan(-0.5), PageDown: () => pan(0.5),
    "+": () => zoom(0.5, cursor), "=": () => zoom(0.5, cursor),
    "-": () => zoom(2, cursor), 0: reset, Escape: reset,
  };
  chart.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    act(event.shiftKey ? 21 : 1);
    event.preventDefault();
  });
  const presses = { in: () => zoom(0.5, cursor), out: () => zoom(2, cursor),
    back: () => pan(-0.5), on: () => pan(0.5), reset };
  for (const name in presses) byId(name).addEventListener("click", presses[name]);
  byId("controls").hidden = false;
  svg.classList.add("live");
  draw();
})();
