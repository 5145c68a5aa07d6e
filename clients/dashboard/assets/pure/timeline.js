// A capture as lanes: what ran on each loop, fiber, thread and process, and when.
/** @import { Capture, MessageRecord } from "../types.js" */

/**
 * @typedef {object} Span
 * @property {MessageRecord} record
 * @property {string} path
 * @property {number} from_us since the capture began
 * @property {number} until_us
 * @property {number} row within its lane
 * @property {boolean} isLong
 * @property {boolean} isRunning it had not ended
 */
/** @typedef {{ lane: string, rows: number, busy_us: number, spans: Span[] }} Lane */

/** From when a handler on a loop is long: others of the loop wait as long. */
export const LONG_US = { task: 10_000, fiber: 100_000, thread: 100_000, process: 100_000, remote: 100_000 };

/**
 * Handlers of one lane that overlap, because one rests at an await point, are put in rows below each other.
 * @param {Capture} capture @returns {Lane[]} loops first, then by name
 */
export function lanes(capture) {
  const lifelines = new Map(capture.lifelines.map((line) => [line.actor, line]));
  /** @type {Map<string, Lane & { ends: number[] }>} */
  const found = new Map();
  const records = capture.messages.filter((record) => record.begun_us > 0).sort((a, b) => a.begun_us - b.begun_us || a.id - b.id);
  for (const record of records) {
    const line = lifelines.get(record.to);
    const isRunning = record.ended_us == null;
    const from_us = Math.max(0, record.begun_us - capture.from_us);
    const until_us = (record.ended_us ?? capture.until_us) - capture.from_us;
    if (until_us < from_us || (!isRunning && record.outcome !== "handled" && until_us === from_us)) continue;
    const name = line?.lane ?? "unknown";
    const lane = found.get(name) ?? { lane: name, rows: 0, busy_us: 0, spans: [], ends: [] };
    found.set(name, lane);
    let row = lane.ends.findIndex((end) => end <= from_us);
    if (row < 0) row = lane.ends.length;
    lane.ends[row] = until_us;
    const isLong = until_us - from_us >= LONG_US[line?.place ?? "task"];
    lane.spans.push({ record, path: line?.path ?? `#${record.to}`, from_us, until_us, row, isLong, isRunning });
  }
  return [...found.values()]
    .map(({ ends, ...lane }) => ({ ...lane, rows: ends.length, busy_us: covered(lane.spans) }))
    .sort((a, b) => rank(a.lane) - rank(b.lane) || a.lane.localeCompare(b.lane, "en", { numeric: true }));
}

/** How long at least one handler was at work. @param {Span[]} spans in the order of their beginnings */
function covered(spans) {
  let sum = 0;
  let until = 0;
  for (const span of spans) {
    sum += Math.max(0, span.until_us - Math.max(until, span.from_us));
    until = Math.max(until, span.until_us);
  }
  return sum;
}

/** @param {string} lane */
function rank(lane) {
  const order = ["loop", "fiber", "thread", "process"];
  const at = order.findIndex((word) => lane.startsWith(word));
  return at < 0 ? order.length : at;
}

/** Round steps for a time axis, at most `limit` of them. @param {number} span_us @param {number} limit */
export function axis(span_us, limit) {
  const rough = Math.max(1, span_us / Math.max(1, limit));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough) ?? rough;
  const ticks = [];
  for (let at = 0; at <= span_us; at += step) ticks.push(at);
  return ticks;
}
