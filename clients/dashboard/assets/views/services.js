// The services of a superserver: what listens, who is being served, which limits have acted, and how programs have ended.
/** @import { App, Service, ServiceEnd, ServiceInstance, ServiceLimit, Services, View } from "../types.js" */
/** @import { Of } from "../pure/services.js" */
import { h, list, panel, setAttr, setText } from "../dom.js";
import { poll } from "../api.js";
import { bytes, count, duration, NONE, timeOfDay } from "../pure/format.js";
import { acted, among, changesText, ends, instances, isCleanEnd, logLines, micros, moment, serviceState } from "../pure/services.js";
import { linkCell, table } from "../parts/table.js";

const EVERY_MS = 1000;
const SHOWN = 200;
const READ_ONLY = "This page may only look: open it with the address that has the token.";

/** @param {App} app @returns {View} */
export function servicesView(app) {
  const { store } = app;
  /** @type {Services|null} */
  let status = null;
  let chosen = "";
  const when = (/** @type {number} */ at_ms) => timeOfDay(at_ms, store.now(), Date.now());
  const age = (/** @type {number|null} */ ms) => (ms == null ? NONE : duration(ms < 1000 ? ms * 1000 : Math.floor(ms / 1000) * 1e6).replace(/\.\d+/, ""));
  /** A count that should be zero. @param {number} n */
  const trouble = (n) => (n ? `▲ ${count(n)}` : "0");
  /** Ids of actors by path, as of the latest drawing. @type {Map<string, number>} */
  let ids = new Map();

  const services = table("services", /** @type {import("../parts/table.js").Column<Service>[]} */ ([
    { title: "service", make: () => h("button", { type: "button" }), update: (button, s) => {
      setText(button, s.id);
      setAttr(button, "title", `${s.origin}: show only what belongs to it`);
      setAttr(button, "aria-pressed", String(chosen === s.id));
      button.onclick = () => {
        chosen = chosen === s.id ? "" : s.id;
        draw();
      };
    }, testid: (s) => `service-${s.id}` },
    { title: "state", class: "prose", update: (_, s, cell) => {
      const { text, tone } = serviceState(s.state);
      setText(cell, text);
      setAttr(cell, "data-tone", tone);
    }, testid: (s) => `service-state-${s.id}` },
    { title: "wait/nowait", about: "nowait: a program for each client; wait: one that takes them all itself", text: (s) => s.style },
    { title: "runs", class: "prose", text: (s) => (s.user ? `${s.runs} as ${s.user}` : s.runs) },
    { title: "where", class: "prose", text: (s) => s.addresses.join(", ") || NONE },
    { title: "now", class: "num", about: "instances that run", text: (s) => count(s.running) },
    { title: "waiting", class: "num", about: "clients that were accepted and wait for room", text: (s) => trouble(s.waiting) },
    { title: "started", class: "num", text: (s) => count(s.started) },
    { title: "failed", class: "num", about: "starts that have failed", text: (s) => trouble(s.failed) },
    { title: "refused", class: "num", about: "clients refused by access control", text: (s) => count(s.refused) },
    { title: "confinement obtained", class: "prose", text: (s) => s.confinement || NONE },
  ]), "No service is on.");
  const running = table("instances", /** @type {import("../parts/table.js").Column<Of<ServiceInstance>>[]} */ ([
    { title: "actor", ...linkCell((/** @type {Of<ServiceInstance>} */ i) => ids.get(i.actor) ?? null, (i) => i.actor) },
    { title: "pid", class: "num", text: (i) => String(i.pid ?? NONE) },
    { title: "doing", text: (i) => i.doing ?? NONE },
    { title: "age", class: "num", text: (i) => age(i.age_ms) },
    { title: "RSS", class: "num", text: (i) => bytes(i.rss_bytes) },
    { title: "CPU time", class: "num", text: (i) => (i.cpu_ms == null ? NONE : duration(i.cpu_ms * 1000)) },
  ]), "Nobody is being served.");
  const limits = table("limits that acted", /** @type {import("../parts/table.js").Column<Of<ServiceLimit>>[]} */ ([
    { title: "service", text: (l) => l.service }, { title: "limit", text: (l) => `▲ ${l.limit}` }, { title: "at most", text: (l) => l.max },
    { title: "then", text: (l) => l.action }, { title: "times", class: "num", text: (l) => count(l.times) },
    { title: "last", class: "num when", text: (l) => (l.last ? when(moment(l.last)) : NONE) },
    { title: "longest wait", class: "num", text: (l) => (micros(l.waited_max) ? duration(micros(l.waited_max)) : NONE) },
  ]), "✓ No limit has acted.");
  const ended = table("last exits", /** @type {import("../parts/table.js").Column<ServiceEnd & { service: string, at_ms: number }>[]} */ ([
    { title: "when", class: "num when", text: (e) => when(e.at_ms) }, { title: "service", text: (e) => e.service },
    { title: "pid", class: "num", text: (e) => String(e.pid ?? NONE) },
    { title: "how", class: "prose", text: (e) => `${isCleanEnd(e.how) ? "○" : "✕"} ${e.how}` },
    { title: "ran for", class: "num", text: (e) => duration(e.ran_ms * 1000) },
  ]), "Nothing has ended yet.");
  const log = table("log of the services", /** @type {import("../parts/table.js").Column<ReturnType<typeof logLines>[number]>[]} */ ([
    { title: "when", class: "num when", text: (l) => when(l.at_ms) },
    { title: "what", class: "kind", update: (_, l, cell) => {
      setText(cell, l.word === "FAIL" ? "✕ FAIL" : l.word);
      setAttr(cell, "data-kind", l.word === "FAIL" ? "failed" : null);
    } },
    { title: "service", text: (l) => l.service }, { title: "text", class: "prose", text: (l) => l.text },
  ]), "Nothing has happened yet.");

  const more = h("p", { class: "dim" });
  const note = h("span", { class: "dim", "data-testid": "services-note" });
  const files = h("p", { class: "dim lint-text" });
  const lines = h("div", {});
  const remarks = panel("Remarks about the files", { hidden: true }, lines);
  const whose = h("span", { class: "dim" });
  const all = h("button", { type: "button", hidden: true, onclick: () => {
    chosen = "";
    draw();
  } }, "Show all services");
  const reload = h("button", { type: "button", "data-testid": "services-reload", onclick: async () => {
    setAttr(reload, "aria-busy", "true");
    try {
      app.toast(`reload: ${changesText(await app.api.reloadServices())}`);
    } catch (error) {
      const { message, hint } = /** @type {import("../api.js").ApiError} */ (error);
      app.toast(`reload: ${message}`, "bad", hint);
    }
    setAttr(reload, "aria-busy", null);
    polled.now();
  } }, "↻ Reload");
  const polled = poll((signal) => app.api.services(signal), EVERY_MS, (answer) => {
    status = answer;
    draw();
  }, (error) => setText(note, error.message));

  function draw() {
    const may = store.state.stage?.can_act === true;
    setAttr(reload, "disabled", !may);
    setAttr(reload, "title", may ? "Read the files again, and take on what they say; clients that are being served are not touched" : READ_ONLY);
    if (!status) return;
    if (!status.services.some((service) => service.id === chosen)) chosen = "";
    const shown = among(status.services, chosen);
    const now = instances(shown);
    ids = new Map([...store.state.actors.values()].map((actor) => [actor.path, actor.id]));
    setText(note, `${count(status.services.length)} services, ${count(status.services.reduce((sum, s) => sum + s.running, 0))} instances now; up ${duration(status.uptime_s * 1e6)}, reloaded ${count(status.reloads)}×`);
    setText(files, status.files.length ? `Read from ${status.files.join(", ")}` : "");
    files.hidden = status.files.length === 0;
    remarks.hidden = status.remarks.length === 0;
    list(lines, status.remarks, (text) => text, (text) => h("p", { class: "warn-text lint-text" }, `▲ ${text}`));
    services.show(status.services, (service) => service.id);
    setText(whose, chosen ? `Below: ${chosen} only.` : "Below: all services. Choose one by its name.");
    all.hidden = !chosen;
    running.show(now.slice(0, SHOWN), (instance) => instance.key);
    setText(more, now.length > SHOWN ? `${count(now.length - SHOWN)} more are not shown.` : "");
    limits.show(acted(shown), (limit) => limit.key);
    ended.show(ends(shown, SHOWN), (end) => /** @type {any} */ (end).key);
    log.show(logLines(status, chosen, SHOWN), (line) => line.key);
  }
  return {
    el: h("div", { class: "view" }, h("div", { class: "row bar" }, h("h1", {}, "Services"), reload, note), files, remarks,
      h("section", { class: "panel" }, services.el), h("div", { class: "row" }, whose, all), panel("Instances", {}, running.el, more),
      h("div", { class: "grid two" }, panel("Limits that acted", {}, limits.el), panel("Last exits", {}, ended.el)), panel("Log", {}, log.el)),
    draw, leave: polled.end,
  };
}
