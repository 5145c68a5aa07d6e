// The flow map: who talks to whom, how often, and where the receiver cannot keep up.
/** @import { App, Flow, FlowEdge, View } from "../types.js" */
/** @import { GraphEdge, GraphNode } from "../parts/graph.js" */
import { actorLink, field, h, select, setText } from "../dom.js";
import { poll } from "../api.js";
import { STATUS } from "../pure/advice.js";
import { duration, rate } from "../pure/format.js";
import { edgeKey } from "../pure/layered.js";
import { graph } from "../parts/graph.js";

const EVERY_MS = 1000;
/** How long an edge stays after its last message, so that the map does not flicker. */
const STAYS_MS = 10_000;

/** @param {App} app @returns {View} */
export function flowView(app) {
  const { store } = app;
  let most = "40";
  let chosen = "";
  let window_ms = 0;
  /** @type {Map<string, { edge: FlowEdge, at: number }>} */
  const known = new Map();
  const detail = h("div", { class: "panel detail", "data-testid": "flow-detail", role: "status" }, "Choose an edge to see its messages.");
  const map = graph("who talks to whom", (edge) => {
    chosen = edgeKey(edge);
    draw();
  });
  const empty = h("p", { class: "empty" }, "No messages between actors lately.");
  const note = h("span", { class: "dim num" });
  const name = (/** @type {number|null} */ id) => (id == null ? "outside" : String(id));
  const polled = poll((signal) => app.api.flow(signal), EVERY_MS, (/** @type {Flow} */ flow) => {
    const now = performance.now();
    window_ms = flow.window_ms;
    for (const [key, one] of known) {
      if (now - one.at > STAYS_MS) known.delete(key);
      else one.edge = { ...one.edge, per_s: 0, backpressured: false };
    }
    for (const edge of flow.edges) known.set(`${name(edge.from)}→${edge.to}`, { edge, at: now });
    draw();
  }, (error) => setText(note, error.message));
  function draw() {
    // By when they came, not by their rates: then the choice does not change at every look.
    const edges = [...known.values()].map(({ edge }) => edge).slice(0, Number(most));
    const ids = new Set(edges.flatMap((edge) => [name(edge.from), name(edge.to)]));
    const strongest = Math.max(1, ...edges.map((edge) => edge.per_s));
    map.show([...ids].map((id) => nodeOf(app, id)), edges.map((edge) => edgeOf(app, edge, strongest)), chosen);
    empty.hidden = edges.length > 0;
    setText(note, `${edges.length} of ${known.size} edges, over the last ${duration(window_ms * 1000)}`);
    const one = known.get(chosen)?.edge;
    if (one) showDetail(one);
  }
  /** @param {FlowEdge} edge */
  function showDetail(edge) {
    const text = `${rate(edge.per_s)} messages/s · half waited within ${duration(edge.wait_p50_us)}${edge.backpressured ? " · ▲ the receiver's mailbox is more than half full" : ""}`;
    const key = `${chosen} ${text} ${edge.types.join()}`;
    if (detail.dataset.key === key) return;
    detail.dataset.key = key;
    const from = edge.from == null ? h("span", {}, "outside") : actorLink(edge.from, store.path(edge.from));
    detail.replaceChildren(h("h2", {}, from, " → ", actorLink(edge.to, store.path(edge.to))), h("p", { class: "num" }, text),
      h("p", {}, "Types, most frequent first: ", edge.types.join(", ") || "–"));
  }
  const bar = h("div", { class: "row bar" }, h("h1", {}, "Flow map"),
    field("edges", select(most, [["20", "20"], ["40", "40"], ["80", "80"], ["160", "160"]], (value) => { most = value; draw(); })), note,
    h("span", { class: "dim hint" }, "Width is the rate. Red and dashed with ▲: the receiver cannot keep up."));
  return { el: h("div", { class: "view full" }, bar, detail, empty, h("div", { class: "canvas", tabindex: 0, role: "region", "aria-label": "flow map" }, map.el)), draw, leave: polled.end };
}

/** @param {App} app @param {string} id @returns {GraphNode} */
export function nodeOf({ store }, id) {
  const actor = store.state.actors.get(Number(id));
  if (id === "outside") return { id, title: "outside", about: "clients, timers", tone: "outside", href: null };
  if (!actor) return { id, title: `#${id}`, about: "ended", tone: "dead", href: `#/actor/${id}` };
  const status = STATUS[actor.status];
  return { id, title: actor.path, about: `${status.shape} ${status.text} · ${actor.place}${actor.queued ? ` · ${actor.queued}` : ""}`, tone: status.tone, href: `#/actor/${id}` };
}

/** @param {App} app @param {FlowEdge} edge @param {number} strongest @returns {GraphEdge} */
function edgeOf({ store }, edge, strongest) {
  const share = Math.log1p(edge.per_s) / Math.log1p(strongest);
  const text = edge.per_s > 0 ? `${rate(edge.per_s)}/s` : "";
  return {
    from: edge.from == null ? "outside" : String(edge.from), to: String(edge.to), weight: edge.per_s, width: 1 + 5 * share,
    label: edge.backpressured ? `▲ full ${text}` : text, tone: edge.backpressured ? "bad" : "calm",
    about: `${store.path(edge.from)} to ${store.path(edge.to)}: ${text || "nothing lately"}${edge.backpressured ? ", the mailbox is more than half full" : ""}`,
  };
}
