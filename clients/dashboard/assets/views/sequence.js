// Sequence diagrams: capture a window, pick what one message led to, see it step by step.
/** @import { App, View } from "../types.js" */
/** @import { Arrow } from "../pure/sequence.js" */
import { download, h, list, setAttr, setText } from "../dom.js";
import { toChromeTrace } from "../pure/chrome-trace.js";
import { duration } from "../pure/format.js";
import { toMermaid } from "../pure/mermaid.js";
import { diagram, traces } from "../pure/sequence.js";
import { captureBar } from "../parts/capture-bar.js";
import { sequenceChart } from "../parts/sequence-chart.js";

const TRACES_SHOWN = 100;
const ZOOMS = [0.5, 0.7, 0.85, 1, 1.25, 1.5, 2];

/** @param {App} app @returns {View} */
export function sequenceView(app) {
  /** @type {number|null} */
  let trace = null;
  let zoom = 3;
  let isStale = true;
  const again = () => {
    isStale = true;
    draw();
  };
  const bar = captureBar(app, () => {
    trace = found()[0]?.trace ?? null;
    again();
  });
  const found = () => (app.kept.capture ? traces(app.kept.capture) : []);
  const picks = h("div", { class: "trace-list", role: "listbox", "aria-label": "traces", "data-testid": "traces" });
  const search = h("input", { type: "search", placeholder: "actor or message", "aria-label": "filter the messages", oninput: again });
  const detail = h("p", { class: "dim num detail", role: "status" }, "Choose an arrow to see its times.");
  const chart = h("div", { class: "chart-holder" });
  const left = h("span", { class: "warn-text" });
  const shown = () => (app.kept.capture ? diagram(app.kept.capture, { trace, text: search.value }) : null);
  /** @param {number} by */
  const zoomed = (by) => {
    zoom = Math.min(ZOOMS.length - 1, Math.max(0, zoom + by));
    again();
  };
  const mermaid = h("button", { type: "button", "data-testid": "export-mermaid", title: "What is shown, as Mermaid text", onclick: () => {
    const drawn = shown();
    if (drawn) download("sequence.mmd", toMermaid(drawn), "text/plain");
  } }, "Mermaid");
  const chrome = h("button", { type: "button", "data-testid": "export-chrome", title: "The whole capture, for chrome://tracing and ui.perfetto.dev", onclick: () => {
    if (app.kept.capture) download("trace.json", JSON.stringify(toChromeTrace(app.kept.capture)), "application/json");
  } }, "Chrome trace");
  const links = ["json", "mermaid", "chrome"].map((format) => h("a", { "data-format": format, target: "_blank", title: "a fresh capture by the stage itself" }, `${format} ↗`));
  const tools = h("div", { class: "row bar", hidden: true }, search,
    h("button", { type: "button", "aria-label": "smaller", onclick: () => zoomed(-1) }, "−"), h("button", { type: "button", "aria-label": "larger", onclick: () => zoomed(1) }, "+"),
    h("span", { class: "dim" }, "save what is shown:"), mermaid, chrome, h("span", { class: "dim" }, "capture afresh:"), ...links, left);
  /** @param {Arrow} arrow */
  const tell = ({ record: m }) => {
    const took = m.ended_us == null ? "its handler still runs" : `handled in ${duration(m.ended_us - m.begun_us)}: ${m.outcome}`;
    setText(detail, `${m.urgent ? "‼ urgent " : ""}${m.ask ? "ask" : "tell"} ${m.message} from ${app.store.path(m.from)} to ${app.store.path(m.to)}: waited ${duration(m.begun_us - m.sent_us)}, ${took} (message ${m.id}, trace ${m.trace})`);
  };
  function draw() {
    bar.draw();
    for (const link of links) setAttr(link, "href", `/api/capture?window_ms=${bar.window_ms()}&format=${link.dataset.format}`);
    if (!isStale) return;
    isStale = false;
    const drawn = shown();
    tools.hidden = !drawn;
    detail.hidden = !drawn;
    if (!drawn) return;
    const all = found();
    const items = [{ trace: /** @type {number|null} */ (null), text: `all ${all.length} traces`, about: "" }, ...all.slice(0, TRACES_SHOWN).map((t) => ({
      trace: t.trace, text: `${t.title} · ${t.messages} ${t.messages === 1 ? "message" : "messages"}, ${t.actors} actors, ${duration(t.us)}`, about: `${t.urgent ? `‼ ${t.urgent} urgent ` : ""}${t.dropped ? `✕ ${t.dropped} dropped` : ""}`,
    }))];
    list(picks, items, (item) => `${item.trace} ${item.text}`, (item) => h("button", { type: "button", role: "option", "data-testid": "trace", "data-trace": item.trace, onclick: () => {
      trace = item.trace;
      again();
    } }, item.text, h("span", { class: "dim" }, item.about)), (button, item) => setAttr(button, "aria-selected", String(item.trace === trace)));
    setText(left, drawn.left ? `▲ ${drawn.left} more messages are not drawn: pick a trace or filter.` : "");
    chart.replaceChildren(drawn.arrows.length ? sequenceChart(drawn, ZOOMS[zoom] ?? 1, tell) : h("p", { class: "empty" }, "No messages in it."));
  }
  return {
    el: h("div", { class: "view full sequence-view" }, h("h1", { class: "hidden" }, "Sequence"), bar.el, tools, detail, h("div", { class: "split" }, picks, chart)),
    draw, leave: bar.end,
  };
}
