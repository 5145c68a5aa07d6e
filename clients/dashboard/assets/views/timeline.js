// The timeline: one lane for each loop, fiber, thread and process, with the handlers that ran there.
/** @import { App, View } from "../types.js" */
/** @import { Lane, Span } from "../pure/timeline.js" */
import { actorLink, h, s, setText } from "../dom.js";
import { duration, lastName, percent } from "../pure/format.js";
import { LONG_US, axis, lanes } from "../pure/timeline.js";
import { captureBar } from "../parts/capture-bar.js";
import { begin, cut } from "../parts/graph.js";

const LEFT = 150;
const ROW = 18;
const ROWS_MAX = 24;
/** How many times as wide as the window. */
const WIDTHS = [1, 2, 4, 8, 16];
/** More would be too much for a browser, and for a reader. */
const SPANS_MAX = 4000;

/** @param {App} app @returns {View} */
export function timelineView(app) {
  let width = 0;
  let isStale = true;
  const bar = captureBar(app, () => {
    isStale = true;
    draw();
  });
  const holder = h("div", { class: "canvas", tabindex: 0, role: "region", "aria-label": "timeline" });
  const detail = h("p", { class: "num detail", role: "status" });
  const long = h("ol", { class: "top-list" });
  const longPanel = h("section", { class: "panel", hidden: true }, h("h2", {}, "Longest handlers"), long);
  /** @param {number} by */
  const zoomed = (by) => {
    width = Math.min(WIDTHS.length - 1, Math.max(0, width + by));
    isStale = true;
    draw();
  };
  const tools = h("span", { class: "row" }, h("button", { type: "button", "aria-label": "smaller", onclick: () => zoomed(-1) }, "−"),
    h("button", { type: "button", "aria-label": "larger", onclick: () => zoomed(1) }, "+"),
    h("span", { class: "dim hint" }, `▲ and stripes: longer than ${duration(LONG_US.task)} on a loop, ${duration(LONG_US.thread)} elsewhere.`));
  bar.el.append(tools);
  /** @param {Span} span */
  const tell = (span) => setText(detail, `${span.path}: ${span.record.message}, ${duration(span.until_us - span.from_us)}${span.isRunning ? " and still running" : ""}, begun at ${duration(span.from_us)} after a wait of ${duration(span.record.begun_us - span.record.sent_us)}`);
  function draw() {
    bar.draw();
    const { capture } = app.kept;
    if (!capture || !isStale) return;
    isStale = false;
    const all = lanes(capture);
    const us = Math.max(1, capture.until_us - capture.from_us);
    holder.replaceChildren(chart(all, us, Math.max(500, holder.clientWidth - LEFT - 50) * (WIDTHS[width] ?? 1), tell));
    const longest = all.flatMap((lane) => lane.spans).sort((a, b) => (b.until_us - b.from_us) - (a.until_us - a.from_us)).slice(0, 8);
    longPanel.hidden = longest.length === 0;
    long.replaceChildren(...longest.map((span) => h("li", {}, h("span", {}, span.isLong ? "▲" : ""), actorLink(span.record.to, `${span.path}: ${span.record.message}`),
      h("span", { class: "num" }, `${duration(span.until_us - span.from_us)}${span.isRunning ? " …" : ""}`))));
    setText(detail, all.length ? "Choose a bar to see what it was." : "No handler ran in this window.");
  }
  return { el: h("div", { class: "view" }, h("h1", { class: "hidden" }, "Timeline"), bar.el, detail, holder, longPanel), draw, leave: bar.end };
}

/** @param {Lane[]} all @param {number} us @param {number} width @param {(span: Span) => void} tell */
function chart(all, us, width, tell) {
  const x = (/** @type {number} */ at) => LEFT + (at / us) * width;
  let y = 24;
  const groups = [];
  let left = SPANS_MAX;
  for (const lane of all) {
    const rows = Math.min(lane.rows, ROWS_MAX);
    const height = rows * ROW + 10;
    const top = y;
    const spans = lane.spans.filter((span) => span.row < ROWS_MAX).sort((a, b) => (b.until_us - b.from_us) - (a.until_us - a.from_us)).slice(0, left);
    left -= spans.length;
    groups.push(s("g", { class: "lane", "data-lane": lane.lane },
      s("rect", { class: "lane-back", x: 0, y: top, width: LEFT + width, height: height - 2 }),
      s("text", { x: 8, y: top + 15, class: "node-title" }, cut(lane.lane, 20)), rows > 1 ? s("text", { x: 8, y: top + 30, class: "node-about" }, `busy ${percent(lane.busy_us, us)}`) : null,
      ...spans.map((span) => bar(span, top + 4 + span.row * ROW, x, tell))));
    y += height;
  }
  const ticks = axis(us, width / 100).map((at) => s("g", {}, s("line", { class: "grid-line", x1: x(at), x2: x(at), y1: 20, y2: y }), s("text", { class: "chart-tick", x: x(at), y: 14, "text-anchor": "middle" }, duration(at))));
  const stripes = s("pattern", { id: "stripes", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("rect", { width: 6, height: 6, class: "stripe-back" }), s("rect", { width: 2, height: 6, class: "stripe" }));
  return s("svg", { class: "timeline", "data-testid": "timeline-svg", width: LEFT + width + 30, height: y + 8, role: "group", "aria-label": "which actor ran when" }, s("defs", {}, stripes), ...groups, ...ticks);
}

/** @param {Span} span @param {number} y @param {(at: number) => number} x @param {(span: Span) => void} tell */
function bar(span, y, x, tell) {
  const width = Math.max(1.5, x(span.until_us) - x(span.from_us));
  const name = `${lastName(span.path)}: ${span.record.message}, ${duration(span.until_us - span.from_us)}`;
  const props = span.isLong ? { tabindex: 0, role: "button", "aria-label": `long: ${name}`, onfocus: () => tell(span) } : {};
  const text = width > 60 ? s("text", { x: x(span.from_us) + 4, y: y + 11 }, begin(`${span.isLong ? "▲ " : ""}${name}`, Math.floor(width / 7))) : null;
  return s("g", { class: `span${span.isLong ? " long" : ""}${span.isRunning ? " running" : ""}${span.record.urgent ? " urgent" : ""}`, ...props, onclick: () => tell(span) },
    s("rect", { x: x(span.from_us), y, width, height: ROW - 4, rx: 2 }), text, s("title", {}, name));
}
