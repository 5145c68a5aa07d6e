// Who waits for whom, and where that goes in a circle.
/** @import { App, View, WaitEdge, Waits } from "../types.js" */
import { actorLink, h, list, setAttr, setText } from "../dom.js";
import { poll } from "../api.js";
import { LINTS } from "../pure/advice.js";
import { isOnCycle, waitCycles } from "../pure/cycles.js";
import { elapsed, lastName } from "../pure/format.js";
import { edgeKey } from "../pure/layered.js";
import { graph } from "../parts/graph.js";
import { linkCell, table } from "../parts/table.js";
import { nodeOf } from "./flow.js";

const EVERY_MS = 1000;
const DRAWN = 150;

/** @param {App} app @returns {View} */
export function waitsView(app) {
  const { store } = app;
  /** @type {Waits} */
  let waits = { edges: [], cycles: [] };
  let chosen = "";
  const note = h("span", { class: "dim" });
  const cards = h("div", { class: "cards" });
  const calm = h("p", { class: "empty good" }, "✓ No circles: every wait can come to an end.");
  const isBad = (/** @type {WaitEdge} */ edge) => cycles().some((cycle) => isOnCycle(cycle, edge));
  const map = graph("who waits for whom", (edge) => {
    chosen = edgeKey(edge);
    app.go(`#/actor/${edge.from}`);
  });
  const rows = table("waits", /** @type {import("../parts/table.js").Column<WaitEdge>[]} */ ([
    { title: "who waits", ...linkCell((/** @type {WaitEdge} */ e) => e.from, (e) => e.from_path) },
    { title: "for whom", ...linkCell((/** @type {WaitEdge} */ e) => e.to, (e) => e.to_path) },
    { title: "question", text: (e) => e.message }, { title: "for", class: "num", text: (e) => elapsed(e.for_ms) },
    { title: "circle", text: (e) => (isBad(e) ? "▲ deadlock" : "") },
  ]), "Nobody waits for an answer.");
  const polled = poll((signal) => app.api.waits(signal), EVERY_MS, (answer) => {
    waits = answer;
    draw();
  }, (error) => setText(note, error.message));
  function cycles() {
    return waits.cycles.length ? waits.cycles : waitCycles(waits.edges);
  }
  function draw() {
    const circles = cycles();
    calm.hidden = circles.length > 0;
    list(cards, circles, (cycle) => cycle.join(), (cycle) => h("article", { class: "card lint", "data-testid": "deadlock" },
      h("h3", {}, `▲ Deadlock of ${cycle.length}`),
      h("p", {}, ...[...cycle, cycle[0] ?? 0].flatMap((id, i) => [i ? " waits for " : "", actorLink(id, store.path(id))])),
      h("p", {}, h("b", {}, "What to do: "), (LINTS.deadlock?.todo ?? "").replace(" See the view Waits.", ""))));
    const edges = waits.edges.slice(0, DRAWN);
    const ids = [...new Set(edges.flatMap((edge) => [String(edge.from), String(edge.to)]))];
    const seen = new Set();
    map.show(ids.map((id) => nodeOf(app, id)), edges.filter((edge) => {
      const key = `${edge.from}→${edge.to}`;
      return !seen.has(key) && seen.add(key);
    }).map((edge) => ({
      from: String(edge.from), to: String(edge.to), weight: edge.for_ms, width: isBad(edge) ? 3 : 1.5, tone: isBad(edge) ? "bad" : "calm",
      label: `${isBad(edge) ? "▲ " : ""}${edge.message} ${elapsed(edge.for_ms)}`,
      about: `${edge.from_path} has waited ${elapsed(edge.for_ms)} for ${lastName(edge.to_path)} to answer ${edge.message}`,
    })), chosen);
    setAttr(map.el, "hidden", edges.length === 0);
    setText(note, `${waits.edges.length} asks without an answer yet`);
    rows.show(waits.edges, (edge) => `${edge.from} ${edge.to} ${edge.message}`);
  }
  return {
    el: h("div", { class: "view" }, h("div", { class: "row bar" }, h("h1", {}, "Waits"), note), cards, calm,
      h("div", { class: "canvas", tabindex: 0, role: "region", "aria-label": "wait-for graph" }, map.el), h("section", { class: "panel" }, rows.el)),
    draw, leave: polled.end,
  };
}
