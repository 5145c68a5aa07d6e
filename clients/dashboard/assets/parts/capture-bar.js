// Notes down everything for a while. What was captured is shared by the views Sequence and Timeline.
/** @import { App } from "../types.js" */
import { field, h, select, setAttr, setText } from "../dom.js";
import { count, duration } from "../pure/format.js";

/**
 * @param {App} app @param {() => void} done
 * @returns {{ el: HTMLElement, end: () => void, window_ms: () => number, draw: () => void }}
 */
export function captureBar(app, done) {
  let window_ms = "1000";
  let stop = new AbortController();
  const text = h("span", { class: "dim num", role: "status", "data-testid": "capture-note" });
  const progress = h("progress", { max: 1, value: 0, "aria-label": "capturing", hidden: true });
  const button = h("button", { type: "button", class: "primary", "data-testid": "capture", onclick: async () => {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    const began = performance.now();
    setAttr(button, "disabled", true);
    progress.hidden = false;
    const timer = setInterval(() => {
      progress.value = Math.min(1, (performance.now() - began) / Number(window_ms));
    }, 100);
    try {
      app.kept.capture = await app.api.capture(Number(window_ms), signal);
      done();
    } catch (error) {
      const { message, hint } = /** @type {import("../api.js").ApiError} */ (error);
      if (!signal.aborted) app.toast(message, "bad", hint);
    }
    clearInterval(timer);
    progress.hidden = true;
    setAttr(button, "disabled", null);
    draw();
  } }, "● Capture");
  const windows = /** @type {[string, string][]} */ ([1, 2, 5, 10].map((n) => [String(n * 1000), `${n} s`]));
  function draw() {
    const { capture } = app.kept;
    if (!capture) return;
    const lost = capture.lost ? `, ▲ ${count(capture.lost)} records lost because more came than are kept` : "";
    setText(text, `${count(capture.messages.length)} messages of ${count(capture.lifelines.length)} actors in ${duration(capture.until_us - capture.from_us)}${lost}`);
  }
  const about = h("p", { class: "empty" }, "Capture a window of time: every message and step in it is noted down.");
  return {
    el: h("div", { class: "row bar" }, field("window", select(window_ms, windows, (value) => { window_ms = value; }, { "data-testid": "capture-window" })),
      button, progress, text, app.kept.capture ? null : about),
    end: () => stop.abort(),
    window_ms: () => Number(window_ms),
    draw: () => {
      about.hidden = app.kept.capture !== null;
      draw();
    },
  };
}
