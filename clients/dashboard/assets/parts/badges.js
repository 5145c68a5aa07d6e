// Small signs that every view uses: status, place, depth of a mailbox, restarts, a line of rates.
/** @import { ActorView, Status } from "../types.js" */
import { h, s, setAttr, setText, setVar } from "../dom.js";
import { STATUS } from "../pure/advice.js";
import { brief } from "../pure/format.js";

export function statusBadge() {
  return h("span", { class: "status" }, h("span", { class: "shape", "aria-hidden": "true" }), h("span", { class: "word" }));
}

/** @param {Element} badge @param {Status} status */
export function showStatus(badge, status) {
  if (badge.getAttribute("data-status") === status) return;
  const { shape, text, tone, about } = STATUS[status] ?? { shape: "?", text: status, tone: "calm", about: "" };
  setAttr(badge, "data-status", status);
  setAttr(badge, "data-tone", tone);
  setAttr(badge, "title", about);
  setText(/** @type {Element} */ (badge.firstElementChild), shape);
  setText(/** @type {Element} */ (badge.lastElementChild), text);
}

/** @type {Record<import("../types.js").Place, string>} */
export const PLACES = { task: "◇ task", fiber: "◈ fiber", thread: "▥ thread", process: "▣ process", remote: "⇄ remote" };

export function placeBadge() {
  return h("span", { class: "place" });
}

/** @param {Element} badge @param {ActorView} actor @param {boolean} [isLong] with the id of its thread or process */
export function showPlace(badge, actor, isLong = false) {
  const id = placeId(actor);
  setText(badge, `${PLACES[actor.place] ?? actor.place}${isLong && id ? ` ${id}` : ""}`);
  setAttr(badge, "data-place", actor.place);
  setAttr(badge, "title", PLACE_ABOUT[actor.place]);
}

/** @param {ActorView} actor */
export function placeId(actor) {
  return actor.place === "process" ? (actor.process?.pid ?? null) : actor.thread;
}

const PLACE_ABOUT = {
  task: "On an event loop that it shares with others: its handlers must not block.",
  fiber: "On a stack of its own that takes turns with others on a few kernel threads.",
  thread: "On a kernel thread of its own: its handlers may block.",
  process: "In a process of its own: a crash ends nothing else.",
  remote: "On another node, or for an actor of another node: only its mailbox is here.",
};

export function depthBar() {
  return h("span", { class: "depth" }, h("span", { class: "depth-fill" }), h("span", { class: "depth-text num" }));
}

/** @param {HTMLElement} bar @param {ActorView} actor */
export function showDepth(bar, actor) {
  const share = actor.capacity > 0 ? Math.min(1, actor.queued / actor.capacity) : 0;
  setVar(bar, "--share", share.toFixed(3));
  setAttr(bar, "data-tone", share > 0.5 ? "bad" : share > 0.1 ? "warn" : "calm");
  setAttr(bar, "title", `${actor.queued} queued, ${actor.urgent} of them urgent, of ${actor.capacity}`);
  const full = share > 0.5 ? "▲ " : "";
  setText(/** @type {Element} */ (bar.lastElementChild), actor.queued === 0 ? "·" : `${full}${brief(actor.queued)}/${brief(actor.capacity)}`);
}

/** One dot for each restart, up to five. @param {number} restarts */
export function dots(restarts) {
  if (restarts === 0) return "";
  return restarts > 5 ? `▲×${brief(restarts)}` : "▲".repeat(restarts);
}

/** A small line of values. @param {string} label @param {number} width @param {number} height */
export function sparkline(label, width, height) {
  const line = s("polyline", { class: "spark-line" });
  const area = s("polygon", { class: "spark-area" });
  return s("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label,
    preserveAspectRatio: "none" }, area, line);
}

/** @param {SVGSVGElement} svg @param {readonly number[]} values */
export function showSpark(svg, values) {
  const { width, height } = svg.viewBox.baseVal;
  const most = Math.max(1, ...values);
  const points = values.map((value, i) => {
    const x = (i / Math.max(1, values.length - 1)) * width;
    return `${x.toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`;
  }).join(" ");
  const [area, line] = svg.children;
  if (line && line.getAttribute("points") !== points) {
    line.setAttribute("points", points);
    area?.setAttribute("points", `0,${height} ${points} ${width},${height}`);
  }
}
