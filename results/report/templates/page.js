"use strict";
// Draws the figures, filters the table of trials, and takes newer parts of the page: window.showReport(parts).
(() => {
  let figures = JSON.parse(document.getElementById("figures").textContent);
  const shown = {};  // sections as they were given, to see what is new
  const picked = { configuration: null, trial: null };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const fine = window.matchMedia("(pointer: fine)");

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // colours that depend on the ground are names that begin with @
  const onGround = (value) => {
    if (typeof value === "string") return value.startsWith("@") ? colour(value.slice(1)) : value;
    if (Array.isArray(value)) return value.map(onGround);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, onGround(inner)]));
  };

  const layoutOf = (layout) => {
    const axis = { gridcolor: colour("rule"), linecolor: colour("faint"), zerolinecolor: colour("rule"), tickcolor: colour("faint") };
    const font = { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("soft") };
    return {
      ...layout,
      xaxis: { ...axis, ...layout.xaxis },
      yaxis: { ...axis, ...layout.yaxis },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font,
      margin: { l: 8, r: 12, t: layout.showlegend ? 40 : 12, b: 8 },
      legend: { orientation: "h", x: 0, y: 1, xanchor: "left", yanchor: "bottom" },
      hoverlabel: { bgcolor: colour("paper"), bordercolor: colour("faint"), font: { ...font, color: colour("ink") }, align: "left" },
      hovermode: "closest",
      dragmode: fine.matches ? "zoom" : false,
      modebar: { remove: [] },
    };
  };

  const draw = (element) => {
    const figure = figures[element.dataset.figure];
    if (!figure) return;
    // else Plotly makes it as low as it can be when the window gets another size
    element.style.height = `${figure.layout.height}px`;
    const isNew = !element.classList.contains("js-plotly-plot");
    Plotly.react(element, onGround(figure.data), onGround(layoutOf(figure.layout)), { displayModeBar: false, responsive: true });
    if (isNew) element.on("plotly_click", (event) => {
      const point = event.points.find((one) => one.customdata !== undefined);
      if (point) pick(point.customdata);
    });
  };
  const drawAll = () => document.querySelectorAll(".plot").forEach(draw);

  const rows = () => [...document.querySelectorAll("#all-trials tbody tr")];

  // the trials of the same configuration, under whatever seed and in whatever phase
  const pick = (trial) => {
    const row = rows().find((one) => one.dataset.trial === String(trial));
    if (!row) return;
    picked.trial = row.dataset.trial;
    picked.configuration = row.dataset.configuration;
    document.getElementById("find").value = "";
    document.getElementById("phase").value = "";
    filter();
    document.getElementById("trials").scrollIntoView({ block: "nearest" });
  };

  const filter = () => {
    const find = document.getElementById("find");
    if (!find) return;
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const phase = document.getElementById("phase").value;
    let count = 0;
    const all = rows();
    for (const row of all) {
      const text = row.textContent.toLowerCase();
      const fits = (!phase || row.dataset.phase === phase)
        && (picked.configuration === null || row.dataset.configuration === picked.configuration)
        && words.every((word) => text.includes(word));
      row.hidden = !fits;
      row.classList.toggle("picked", fits && row.dataset.trial === picked.trial);
      count += fits;
    }
    const of = picked.trial === null ? "" : `, with the configuration of trial ${picked.trial}`;
    document.getElementById("count").textContent = `${count} of ${all.length} trials${of}`;
  };

  const showAll = () => {
    picked.configuration = picked.trial = null;
    document.getElementById("find").value = "";
    document.getElementById("phase").value = "";
    filter();
  };

  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => { if (event.target.closest("#filters")) filter(); });
  }
  document.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.id === "clear") showAll();
    if (button.dataset.filter !== undefined) pick(button.dataset.filter);
  });

  // Newer parts: a section that has changed is replaced; its plots, what is open in it and what was typed stay.
  window.showReport = (parts) => {
    figures = parts.figures;
    for (const [id, html] of Object.entries(parts.sections)) {
      if (shown[id] === html) continue;
      shown[id] = html;
      const section = document.getElementById(id);
      const plots = new Map([...section.querySelectorAll(".plot")].map((plot) => [plot.id, plot]));
      const open = [...section.querySelectorAll("details[open]")].map((details) => details.id);
      const typed = [...section.querySelectorAll("input, select")].map((field) => [field.id, field.value]);
      const scrolled = [...section.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
      const focus = section.contains(document.activeElement) ? document.activeElement.id : "";
      section.innerHTML = html;
      for (const plot of section.querySelectorAll(".plot")) {
        const old = plots.get(plot.id);
        if (!old) continue;
        old.setAttribute("aria-label", plot.getAttribute("aria-label"));
        plot.replaceWith(old);
      }
      for (const name of open) document.getElementById(name)?.setAttribute("open", "");
      for (const [name, value] of typed) { const field = document.getElementById(name); if (field) field.value = value; }
      section.querySelectorAll(".scroll").forEach((box, place) => { if (scrolled[place]) [box.scrollLeft, box.scrollTop] = scrolled[place]; });
      if (focus) document.getElementById(focus)?.focus();
    }
    drawAll();
    filter();
  };

  dark.addEventListener("change", drawAll);
  for (const [moment, onPaper] of [["beforeprint", true], ["afterprint", false]]) {
    window.addEventListener(moment, () => {
      document.documentElement.classList.toggle("paper", onPaper);
      drawAll();
    });
  }
  drawAll();
})();
