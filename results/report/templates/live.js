"use strict";
// Asks the server of the page for news, again and again, and for newer parts of the page when there are any.
(() => {
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const heading = make("h2", { id: "heading-live" }, "Right now");
  const now = make("p", { id: "live-now" });
  const connection = make("p", { class: "hint", id: "live-connection", role: "status" });
  const dashboard = make("p", { class: "hint", id: "live-dashboard" });
  const running = make("div", { id: "live-running" });
  const ended = make("div", { id: "live-ended" });
  document.getElementById("main").prepend(
    make("section", { id: "live", "aria-labelledby": "heading-live" },
      heading, now, connection, running, ended, dashboard));

  const duration = (seconds) => {
    const whole = Math.round(seconds);
    if (whole < 100) return `${whole} s`;
    if (whole < 6000) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  };
  const left = (rest) => {
    if (!rest) return "";
    const interval = rest.low === null ? "" : ` (95 % interval ${duration(rest.low)} to ${duration(rest.high)})`;
    return ` About ${duration(rest.seconds)} left${interval}.`;
  };
  const percent = (error) => error === null ? "" : error.toFixed(2);

  // a learning curve on a logarithmic scale; the numbers beside it say the same
  const curve = (values, epochs) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    for (const [name, value] of Object.entries({ class: "curve", viewBox: "0 0 100 20", "aria-hidden": "true" })) svg.setAttribute(name, value);
    const logs = values.map((value) => Math.log(Math.max(value, 0.01)));
    const low = Math.min(...logs), high = Math.max(...logs, low + 0.1);
    const points = logs.map((value, place) => `${2 + 96 * place / Math.max(1, epochs - 1)},${18 - 16 * (value - low) / (high - low)}`);
    const line = document.createElementNS(space, points.length > 1 ? "polyline" : "circle");
    if (points.length > 1) line.setAttribute("points", points.join(" "));
    else if (points.length) { const [x, y] = points[0].split(","); line.setAttribute("cx", x); line.setAttribute("cy", y); line.setAttribute("r", "1.5"); }
    svg.append(line);
    return svg;
  };

  const table = (name, headings, rows) => make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
    make("table", {}, make("thead", {}, make("tr", {}, ...headings.map((heading) => make("th", { scope: "col" }, heading)))), make("tbody", {}, ...rows)));
  const row = (attributes, ...cells) => make("tr", attributes, ...cells.map((cell) => make("td", {}, cell)));

  const show = (news) => {
    now.textContent = `${news.budget.used} of ${news.budget.of} trials have ended.${left(news.remaining)}`;
    const rows = news.running.map((trial) => row({ "data-running": trial.trial },
      trial.name, `${trial.epoch}/${trial.epochs}`, curve(trial.curve, trial.epochs), percent(trial.validation_error), duration(trial.seconds)));
    const scrolled = [...document.querySelectorAll("#live .scroll")].map((box) => box.scrollLeft);
    running.replaceChildren(...(rows.length ? [table("Running trials", ["running", "epoch", "learning curve", "validation error, %", "for"], rows)] : []));
    const last = news.ended.map((trial) => row({ "data-ended": trial.trial },
      trial.name, trial.phase, trial.state === "failed" ? `failed: ${trial.failure}` : trial.state, trial.error === null ? "" : `${percent(trial.error)} % ${trial.what}`));
    ended.replaceChildren(...(last.length ? [table("Trials that ended last", ["ended last", "phase", "state", "error"], last)] : []));
    document.querySelectorAll("#live .scroll").forEach((box, place) => { box.scrollLeft = scrolled[place] || 0; });
    dashboard.replaceChildren(...(news.dashboard && news.live ? ["Workers and their logs: ", make("a", { href: news.dashboard, rel: "noreferrer", target: "_blank" }, "Ray dashboard"),
      ". It asks for a token: run ", make("code", {}, "ray get-auth-token"), " on the machine of the study."] : []));
    heading.textContent = news.over ? "At the end" : "Right now";
    connection.textContent = news.over ? "The run has ended. This page stays as it is and asks no more; report.html in the study's folder shows the same."
      : news.live ? "" : "No run is at work in this folder. The page stays as it is.";
  };

  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const follow = async () => {
    let version = 0, parts = 0, failures = 0;
    for (;;) {
      try {
        const answer = await fetch(`news.json?have=${version}`);
        if (!answer.ok) throw new Error(answer.statusText);
        failures = 0;
        if (answer.status === 204) continue;
        const news = await answer.json();
        if (news.version < version) parts = 0;
        version = news.version;
        if (news.budget) show(news);
        if (news.parts !== parts) {
          const newer = await (await fetch("parts.json")).json();
          parts = news.parts;
          if (newer.sections) window.showReport(newer);
        }
        if (news.over) return;
      } catch {
        failures += 1;
        if (failures > 2) connection.textContent = "Nobody answers: the run has ended, or cannot be reached. The page stays as it is; report.html in the study's folder is the last one.";
        await wait(failures > 2 ? 5000 : 500);
      }
    }
  };
  follow();
})();
