// The supervision log: ends, restarts and what people did; dead letters beside it.
/** @import { App, Letter, LogEntry, View } from "../types.js" */
import { h, setAttr, setText } from "../dom.js";
import { count, timeOfDay } from "../pure/format.js";
import { linkCell, table } from "../parts/table.js";

const SHOWN = 300;
/** @type {Record<string, string>} */
const SHAPES = { restarted: "▲ restarted", recycled: "↻ recycled", ended: "○ ended", failed: "✕ failed", action: "● action" };

/** @param {App} app @returns {View} */
export function logView({ store }) {
  const when = (/** @type {{ at_ms: number }} */ e) => timeOfDay(e.at_ms, store.now(), Date.now());
  const hidden = new Set();
  const search = h("input", { type: "search", placeholder: "path, text, who …", "aria-label": "filter the log", "data-testid": "log-search", oninput: () => draw() });
  const kinds = Object.entries(SHAPES).map(([kind, text]) => {
    const button = h("button", { type: "button", class: "toggle", "aria-pressed": "true", "data-kind": kind, onclick: () => {
      if (!hidden.delete(kind)) hidden.add(kind);
      setAttr(button, "aria-pressed", String(!hidden.has(kind)));
      draw();
    } }, text);
    return button;
  });
  const log = table("supervision log", /** @type {import("../parts/table.js").Column<LogEntry>[]} */ ([
    { title: "when", class: "num when", text: when },
    { title: "what", class: "kind", update: (_, e, cell) => {
      setText(cell, SHAPES[e.kind] ?? e.kind);
      setAttr(cell, "data-kind", e.kind);
    } },
    { title: "actor", ...linkCell((/** @type {LogEntry} */ e) => e.actor, (e) => e.path) },
    { title: "text", class: "prose", text: (e) => (e.who ? `${e.text} (by ${e.who})` : e.text) },
  ]), "Nothing has happened yet, or the filter hides it.");
  const letters = table("dead letters", /** @type {import("../parts/table.js").Column<Letter & { key: string }>[]} */ ([
    { title: "when", class: "num when", text: when }, { title: "to", class: "clip", text: (l) => l.to }, { title: "message", text: (l) => l.message },
    { title: "why", text: (l) => `✕ ${l.reason}` },
  ]), "Every accepted message was handled.");
  const note = h("span", { class: "dim num" });
  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const isShown = (/** @type {string[]} */ ...texts) => !wanted || texts.join(" ").toLowerCase().includes(wanted);
    const entries = store.state.log.filter((e) => !hidden.has(e.kind) && isShown(e.path, e.text, e.who ?? ""));
    log.show(entries.slice(-SHOWN).reverse(), (e) => e.seq);
    const seen = new Map();
    const all = store.state.letters.map((letter) => {
      const base = `${letter.at_ms} ${letter.to} ${letter.message}`;
      seen.set(base, (seen.get(base) ?? 0) + 1);
      return { ...letter, key: `${base} ${seen.get(base)}` };
    }).filter((l) => isShown(l.to, l.message, l.reason));
    letters.show(all.slice(-SHOWN).reverse(), (l) => l.key);
    setText(note, `${count(entries.length)} lines, ${count(all.length)} dead letters`);
  }
  return {
    el: h("div", { class: "view" }, h("div", { class: "row bar" }, h("h1", {}, "Log"), search, ...kinds, note),
      h("div", { class: "grid two" }, h("section", { class: "panel" }, h("h2", {}, "Ends, restarts, actions"), log.el),
        h("section", { class: "panel" }, h("h2", {}, "Dead letters"), letters.el))),
    draw,
  };
}
