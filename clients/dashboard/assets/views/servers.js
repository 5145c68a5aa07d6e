// Servers side by side, with load on them to compare architectures.
/** @import { App, LoadView, ServerView, View } from "../types.js" */
import { field, h, list, setAttr, setText, setVar } from "../dom.js";
import { brief, bytes, count, duration, percent, rate } from "../pure/format.js";
import { spanOf } from "../pure/histogram.js";
import { histogramChart, showHistogram } from "../parts/bars.js";
import { linkCell, table } from "../parts/table.js";

const ENDINGS = ["done", "drained", "broken", "malformed", "panicked", "interrupted", "timed_out", "abandoned"];
const LIMITS = ["deferred", "dropped", "closed", "failed", "shed", "header_timeouts", "body_timeouts", "idle_timeouts", "handler_timeouts", "send_timeouts", "worker_timeouts"];

/** Counts that are not zero, as `3 drained, 1 broken`. @param {ServerView} server @param {string[]} names */
function some(server, names) {
  const found = names.filter((name) => (server.scores[name] ?? 0) > 0);
  return found.map((name) => `${brief(server.scores[name])} ${name.replaceAll("_", " ")}`).join(", ");
}

/** @param {App} app @returns {View} */
export function serversView(app) {
  const { store } = app;
  const memory = (/** @type {ServerView} */ server) => {
    const workers = [...store.state.actors.values()].filter((a) => a.process && a.path.startsWith(`${server.name}/`));
    return workers.length ? bytes(workers.reduce((sum, a) => sum + (a.process?.rss_bytes ?? 0), 0)) : "shared";
  };
  const loadOf = (/** @type {ServerView} */ server) => store.state.loads.get(server.name);
  /** @type {import("../parts/table.js").Column<ServerView>[]} */
  const columns = [
    { title: "server", ...linkCell((/** @type {ServerView} */ s) => s.supervisor, (s) => s.name) },
    { title: "model × place", text: (s) => `${s.model} × ${s.place}${s.workers ? ` (${s.workers})` : ""}` },
    { title: "open", class: "num", about: "connections held now, and the limit", text: (s) => `${count(s.scores.active)}${s.limits.connections_max ? `/${brief(s.limits.connections_max)}` : ""}` },
    { title: "accepted", class: "num", text: (s) => count(s.scores.accepted) },
    { title: "requests/s", class: "num", text: (s) => rate(store.rate(`requests ${s.name}`)) },
    { title: "load answers/s", class: "num", text: (s) => (loadOf(s)?.running ? rate(loadOf(s)?.per_s ?? 0) : "–") },
    { title: "load p50", class: "num", text: (s) => duration((loadOf(s)?.latency ?? s.latency)?.p50_us) },
    { title: "load p99", class: "num", text: (s) => duration((loadOf(s)?.latency ?? s.latency)?.p99_us) },
    { title: "connections ended", class: "prose", text: (s) => some(s, ENDINGS) || "–" },
    { title: "limits that acted", class: "prose", text: (s) => (some(s, LIMITS) ? `▲ ${some(s, LIMITS)}` : "none") },
    { title: "CPU", class: "num", text: (s) => (s.cpu_ms == null ? "–" : percent(store.rate(`cpu ${s.name}`), 1000)) },
    { title: "memory", class: "num", about: "of its processes; others share that of the stage", text: memory },
  ];
  const rows = table("servers", columns, "This stage has no servers.");
  const cards = h("div", { class: "grid servers" });
  app.api.loads().then((answer) => store.loads(answer.loads), () => {});
  return {
    el: h("div", { class: "view" }, h("div", { class: "row bar" }, h("h1", {}, "Servers"), h("span", { class: "dim hint" }, "Put load on two of them at once to compare. All latency charts have the same axis.")),
      h("section", { class: "panel" }, rows.el), cards),
    draw: () => {
      const { servers, loads } = store.state;
      rows.show(servers, (server) => server.name);
      const span = spanOf([...loads.values()].map((load) => load.histogram));
      const fastest = Math.max(1, ...[...loads.values()].map((load) => load.per_s));
      list(cards, servers, (server) => server.name, (server) => serverCard(app, server).el,
        (card, server) => /** @type {any} */ (card).showServer(server, loads.get(server.name), span, fastest));
    },
  };
}

/** @param {App} app @param {ServerView} first */
function serverCard(app, first) {
  const { name } = first;
  /** @param {string} key @param {number} value @param {number} max @param {number} [min] */
  const number = (key, value, max, min = 1) => h("input", { type: "number", value, min, max, required: true, "data-testid": `load-${key}` });
  const inputs = { connections: number("connections", 4, 1000), rate: number("rate", 500, 1_000_000, 0), seconds: number("seconds", 10, 3600),
    request: h("input", { type: "text", placeholder: "the service's own", "data-testid": "load-request" }) };
  const start = h("button", { type: "submit", class: "primary", "data-testid": "load-start" }, "Put load on it");
  const stop = h("button", { type: "button", "data-testid": "load-stop", hidden: true, onclick: async () => {
    try {
      app.store.loads([await app.api.stopLoad(name)]);
      app.toast(`load on ${name} stopped`);
    } catch (error) {
      failed(error);
    }
  } }, "■ Stop");
  /** @param {unknown} error */
  const failed = (error) => {
    const { message, hint } = /** @type {import("../api.js").ApiError} */ (error);
    app.toast(`load on ${name}: ${message}`, "bad", hint);
  };
  const form = h("form", { class: "load-form", "data-testid": "load-form", onsubmit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    const request = inputs.request.value;
    try {
      const load = { server: name, connections: Number(inputs.connections.value), rate_per_s: Number(inputs.rate.value), seconds: Number(inputs.seconds.value) };
      app.store.loads([await app.api.startLoad(request ? { ...load, request } : load)]);
    } catch (error) {
      failed(error);
    }
  } }, field("connections", inputs.connections), field("rate/s (0: all it can)", inputs.rate), field("seconds", inputs.seconds), field("request", inputs.request), h("div", { class: "row" }, start, stop));
  const address = h("code", { title: "try it" }, first.command);
  const result = h("div", { class: "load-result", hidden: true });
  /** @type {[string, string, (l: LoadView) => string][]} */
  const numbers = [
    ["answers/s", "per-s", (l) => rate(l.per_s)], ["p50", "p50", (l) => duration(l.latency?.p50_us)], ["p99", "p99", (l) => duration(l.latency?.p99_us)],
    ["answered", "answered", (l) => count(l.answered)], ["failed", "failed", (l) => (l.failed ? `✕ ${count(l.failed)}` : "0")], ["in flight", "in-flight", (l) => count(l.in_flight)],
  ];
  const cells = numbers.map(([title, key, text]) => {
    const value = h("dd", { class: "num", "data-testid": `load-${key}` });
    return { value, text, el: h("div", {}, h("dt", {}, title), value) };
  });
  const bar = h("div", { class: "through", "aria-hidden": "true" });
  const note = h("p", { class: "dim num", "data-testid": "load-note" });
  const chart = histogramChart(`latency under load of ${name}`);
  result.append(h("dl", { class: "facts" }, ...cells.map((c) => c.el)), bar, chart, note);
  const el = h("section", { class: "panel server", "data-testid": `server-${name}` },
    h("h2", {}, h("a", { href: `#/actor/${first.supervisor}`, class: "actor-link" }, name), h("span", { class: "dim" }, ` ${first.model} × ${first.place}`)),
    h("p", { class: "dim" }, first.classic_name, first.accept_by ? `, accepted by ${first.accept_by}` : "", ` · ${first.service} on ${first.address}`), address, form, result);
  /** @param {ServerView} _server @param {LoadView|undefined} load @param {{ first: number, last: number }|null} span @param {number} fastest */
  const showServer = (_server, load, span, fastest) => {
    const may = app.store.state.stage?.can_act === true;
    const isRunning = load?.running === true;
    setAttr(start, "disabled", !may || isRunning);
    setAttr(start, "title", may ? null : "This page may only look: open it with the address that has the token.");
    stop.hidden = !isRunning;
    result.hidden = !load;
    if (!load) return;
    for (const cell of cells) setText(cell.value, cell.text(load));
    setVar(bar, "--share", (load.per_s / fastest).toFixed(3));
    showHistogram(chart, load.histogram, span);
    const wanted = load.rate_per_s ? `${count(load.rate_per_s)}/s wanted` : "as fast as answers come";
    setText(note, `${isRunning ? "● running" : "■ over"} for ${duration(load.elapsed_ms * 1000)} of ${load.seconds} s: ${load.connections} connections, ${wanted}${load.error ? `. ✕ ${load.error}` : ""}`);
  };
  Object.assign(el, { showServer });
  return { el };
}
