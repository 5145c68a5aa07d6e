// Processes that actors live in or stand for: what each uses, how it is confined, and how often it was replaced.
/** @import { ActorView, App, View } from "../types.js" */
import { h, setAttr, setText } from "../dom.js";
import { bytes, count, duration, exitReason, isFailure } from "../pure/format.js";
import { showStatus, statusBadge } from "../parts/badges.js";
import { linkCell, table } from "../parts/table.js";

/** @param {App} app @returns {View} */
export function processesView({ store }) {
  const age = (/** @type {ActorView} */ a) => {
    const ms = a.process?.age_ms;
    return ms == null ? null : ms + Math.max(0, store.now() - (store.state.seen_at.get(a.id) ?? store.now()));
  };
  const isLoose = (/** @type {ActorView} */ a) => store.state.lints.some((lint) => lint.kind === "unconfined" && lint.actor === a.id);
  /** @type {import("../parts/table.js").Column<ActorView>[]} */
  const columns = [
    { title: "actor", ...linkCell((/** @type {ActorView} */ a) => a.id, (a) => a.path) },
    { title: "status", make: statusBadge, update: (badge, a) => showStatus(badge, a.status) },
    { title: "pid", class: "num", text: (a) => String(a.process?.pid ?? "–") },
    { title: "RSS", class: "num", text: (a) => bytes(a.process?.rss_bytes) },
    { title: "CPU time", class: "num", text: (a) => (a.process?.cpu_ms == null ? "–" : duration(a.process.cpu_ms * 1000)) },
    { title: "age", class: "num", text: (a) => (age(a) === null ? "–" : duration(Math.floor((age(a) ?? 0) / 1000) * 1e6).replace(/\.\d+/, "")) },
    { title: "restarts", class: "num", text: (a) => (a.restarts ? `▲ ${count(a.restarts)}` : "0") },
    { title: "recycled", class: "num", about: "replaced by a fresh one although nothing was wrong", text: (a) => count(a.process?.recycled) },
    { title: "last exit", text: (a) => (a.last_exit ? `${isFailure(a.last_exit) ? "✕ " : ""}${exitReason(a.last_exit)}` : "–") },
    { title: "confinement obtained", class: "prose", update: (_, a, cell) => {
      setText(cell, `${isLoose(a) ? "▲ " : ""}${a.process?.confinement ?? (a.place === "process" ? "not yet known" : "–")}`);
      setAttr(cell, "data-tone", isLoose(a) ? "bad" : null);
    } },
  ];
  const rows = table("processes", columns, "No actor of this stage lives in a process of its own, or stands for one.");
  const note = h("span", { class: "dim" });
  return {
    el: h("div", { class: "view" }, h("div", { class: "row bar" }, h("h1", {}, "Processes"), note), h("section", { class: "panel" }, rows.el)),
    draw: () => {
      const all = [...store.state.actors.values()].filter((a) => a.place === "process" || a.process).sort((a, b) => a.id - b.id);
      const memory = all.reduce((sum, a) => sum + (a.process?.rss_bytes ?? 0), 0);
      setText(note, `${all.filter((a) => a.process?.pid).length} processes with ${bytes(memory)}; the stage itself is pid ${store.state.stage?.pid ?? "–"}`);
      rows.show(all, (a) => a.id);
    },
  };
}
