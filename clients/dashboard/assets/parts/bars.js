// A histogram in powers of two as bars, with an axis in µs, ms and s.
/** @import { Histogram } from "../types.js" */
import { s } from "../dom.js";
import { bars, quantiles, spanOf, ticks } from "../pure/histogram.js";
import { count, duration } from "../pure/format.js";

const WIDTH = 360;
const HEIGHT = 110;
const FOOT = 18;

/** @param {string} label */
export function histogramChart(label) {
  return s("svg", { class: "histogram", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, "data-label": label });
}

/**
 * @param {SVGSVGElement} svg @param {Histogram} histogram @param {{ first: number, last: number }|null} [span] a shared axis
 */
export function showHistogram(svg, histogram, span) {
  const used = span ?? spanOf([histogram]);
  const key = JSON.stringify([histogram.buckets, used]);
  if (svg.getAttribute("data-key") === key) return;
  svg.setAttribute("data-key", key);
  const label = svg.getAttribute("data-label") ?? "";
  if (!used) {
    svg.setAttribute("aria-label", `${label}: nothing observed yet`);
    svg.replaceChildren(s("text", { x: WIDTH / 2, y: HEIGHT / 2, class: "chart-note", "text-anchor": "middle" }, "nothing observed yet"));
    return;
  }
  // Room for at least eight buckets, so that one alone does not fill the chart.
  const wide = { first: Math.max(0, used.last - 7 < used.first ? used.last - 7 : used.first), last: Math.max(used.last, 7) };
  const all = bars(histogram, wide);
  const step = WIDTH / all.length;
  const tall = HEIGHT - FOOT - 12;
  const shapes = all.filter((bar) => bar.count > 0).map((bar) => {
    const height = Math.max(2, bar.height * tall);
    const x = (bar.index - wide.first) * step;
    return s("rect", { x: x + 1, y: HEIGHT - FOOT - height, width: Math.max(1, step - 2), height, class: "bar" },
      s("title", {}, `${bar.label}: ${count(bar.count)}`));
  });
  const axis = ticks(wide, 5).map(({ at, label: text }) => s("text", { x: Math.min(WIDTH - 2, Math.max(2, at * WIDTH)), y: HEIGHT - 4,
    class: "chart-tick", "text-anchor": at === 0 ? "start" : at >= 1 ? "end" : "middle" }, text));
  const points = quantiles(histogram);
  const marks = points ? [["p50", points.p50_us], ["p99", points.p99_us]].map(([name, us]) => {
    const x = Math.min(WIDTH - 1, (Math.log2(Number(us)) + 1 - wide.first) * step);
    const end = x > WIDTH - 30 || (name === "p50" && x > 30);
    return s("g", { class: "mark" }, s("line", { x1: x, x2: x, y1: 2, y2: HEIGHT - FOOT }),
      s("text", { x: end ? x - 3 : x + 3, y: 10, class: "chart-tick", "text-anchor": end ? "end" : "start" }, String(name)));
  }) : [];
  const summary = points ? `${count(points.count)} observed, half within ${duration(points.p50_us)}, 99 of 100 within ${duration(points.p99_us)}` : "";
  svg.setAttribute("aria-label", `${label}: ${summary}`);
  svg.replaceChildren(s("line", { x1: 0, x2: WIDTH, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT, class: "axis" }), ...shapes, ...marks, ...axis);
}
