// A sequence diagram in SVG: lifelines stay in sight above, time goes down.
/** @import { Arrow, Diagram } from "../pure/sequence.js" */
import { h, s, setAttr } from "../dom.js";
import { duration } from "../pure/format.js";
import { cut } from "./graph.js";

const COLUMN = 150;
const ROW = 26;
const LEFT = 74;
const HEAD = 46;
const HALF = 5;

/** @param {Diagram} diagram @param {number} zoom @param {(arrow: Arrow) => void} onArrow */
export function sequenceChart(diagram, zoom, onArrow) {
  const width = LEFT + diagram.columns.length * COLUMN;
  const height = diagram.rows * ROW + 30;
  const x = (/** @type {number} */ column) => LEFT + column * COLUMN + COLUMN / 2;
  const y = (/** @type {number} */ row) => row * ROW + 20;
  const floor = height - 6;
  const names = diagram.columns.map((column, i) => s("a", { class: "lifeline-head", "data-actor": column.actor, href: column.actor ? `#/actor/${column.actor}` : null },
    s("rect", { x: x(i) - COLUMN / 2 + 6, y: 4, width: COLUMN - 12, height: HEAD - 8, rx: 6 }),
    s("text", { x: x(i), y: 20, "text-anchor": "middle", class: "node-title" }, cut(column.label, 18)),
    s("text", { x: x(i), y: 34, "text-anchor": "middle", class: "node-about" }, cut(column.place, 22)), s("title", {}, `${column.path} ${column.place}`)));
  const lines = diagram.columns.map((column, i) => s("line", { class: "lifeline", "data-testid": "lifeline", "data-actor": column.actor, x1: x(i), x2: x(i), y1: 0, y2: floor }));
  const times = diagram.times.map((us, row) => s("text", { x: LEFT - 8, y: y(row) + 4, "text-anchor": "end", class: "chart-tick" }, `+${duration(us)}`));
  const boxes = diagram.arrows.filter((arrow) => arrow.wasBegun).map((arrow) => {
    const end = arrow.endRow === null ? floor : Math.max(y(arrow.endRow), y(arrow.toRow) + 8);
    const title = arrow.record.ended_us == null ? "still runs" : `ran ${duration(arrow.record.ended_us - arrow.record.begun_us)}`;
    return s("rect", { class: `activation${arrow.endRow === null ? " running" : ""}`, x: x(arrow.to) - HALF, y: y(arrow.toRow), width: 2 * HALF, height: end - y(arrow.toRow), rx: 2 }, s("title", {}, `${arrow.record.message} ${title}`));
  });
  const steps = diagram.steps.map((step) => {
    const end = step.toRow === null ? floor : Math.max(y(step.toRow), y(step.fromRow) + 14);
    return s("g", { class: "step" }, s("rect", { x: x(step.column) - 1, y: y(step.fromRow), width: 10, height: end - y(step.fromRow), rx: 2 }),
      s("text", { x: x(step.column) + 13, y: y(step.fromRow) + 11 }, cut(step.what, 16)), s("title", {}, step.what));
  });
  const arrows = diagram.arrows.map((arrow) => drawArrow(arrow, x, y, onArrow));
  const box = { role: "group", width: width * zoom };
  const head = s("svg", { class: "sequence-head", ...box, height: HEAD * zoom, viewBox: `0 0 ${width} ${HEAD}`, "aria-label": "lifelines" }, ...names);
  const defs = s("defs", {}, ...["calm", "urgent", "bad"].map((tone) => s("marker", { id: `arrow-${tone}`, class: "head", "data-tone": tone, viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" }, s("path", { d: "M0 0 8 4 0 8z" }))));
  const body = s("svg", { class: "sequence", "data-testid": "sequence-svg", ...box, height: height * zoom, viewBox: `0 0 ${width} ${height}`, "aria-label": "sequence diagram" }, defs, ...times, ...lines, ...boxes, ...steps, ...arrows);
  const el = h("div", { class: "canvas sequence-canvas", tabindex: 0, role: "region", "aria-label": "sequence diagram" }, h("div", { class: "sequence-sheet" }, head, body));
  setAttr(el, "data-rows", diagram.rows);
  return el;
}

/**
 * @param {Arrow} arrow @param {(column: number) => number} x @param {(row: number) => number} y @param {(arrow: Arrow) => void} onArrow
 */
function drawArrow(arrow, x, y, onArrow) {
  const { record } = arrow;
  const isLost = arrow.isDropped && !arrow.wasBegun;
  const tone = isLost ? "bad" : record.urgent ? "urgent" : "calm";
  const way = Math.sign(x(arrow.to) - x(arrow.from));
  const [x1, x2] = [x(arrow.from) + way * HALF, x(arrow.to) - way * (HALF + 1)];
  const [y1, y2] = [y(arrow.fromRow), y(arrow.toRow)];
  const isSelf = arrow.from === arrow.to;
  const d = isSelf ? `M${x1 + HALF} ${y1}h28V${Math.max(y2, y1 + 10)}h-26` : `M${x1} ${y1}L${x2} ${y2}`;
  const name = `${record.urgent ? "‼ " : ""}${record.message}`;
  const about = `${record.urgent ? "urgent " : ""}${record.ask ? "ask" : "tell"} ${record.message}: waited ${duration(record.begun_us - record.sent_us)}, ${record.ended_us == null ? "still runs" : record.outcome}`;
  const group = s("g", { class: "message", "data-testid": "sequence-message", "data-tone": tone, tabindex: 0, role: "button", "aria-label": about, onclick: () => onArrow(arrow), onkeydown: (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      onArrow(arrow);
    }
  } }, s("title", {}, about), s("path", { class: "message-hit", d }), s("path", { class: `message-line${record.ask ? " ask" : ""}`, d, "marker-end": `url(#arrow-${tone})` }),
  s("text", { class: "message-name", x: isSelf ? x1 + 36 : (x1 + x2) / 2, y: isSelf ? y1 + 4 : (y1 + y2) / 2 - 5, "text-anchor": isSelf ? "start" : "middle" }, cut(name, 24)));
  if (isLost) group.append(cross(x2, y2), s("text", { class: "message-name", x: x2 + 10, y: y2 + 14 }, `✕ ${record.outcome}`));
  if (arrow.endRow === null || isLost) return group;
  const end = Math.max(y(arrow.endRow), y2 + 8);
  if (arrow.isDropped) {
    group.append(cross(x(arrow.to), end), s("text", { class: "message-name bad", x: x(arrow.to) + 10, y: end + 4 }, `✕ ${record.outcome}`));
  } else if (record.ask && !isSelf) {
    group.append(s("path", { class: "message-line reply", d: `M${x2} ${end}L${x1} ${end}`, "marker-end": `url(#arrow-${tone})` }));
  }
  return group;
}

/** @param {number} x @param {number} y */
function cross(x, y) {
  return s("path", { class: "cross", d: `M${x - 5} ${y - 5}l10 10m0-10l-10 10` });
}
