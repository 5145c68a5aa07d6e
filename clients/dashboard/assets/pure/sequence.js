// A capture as a sequence diagram: who stands where, and what happens in which row.
/** @import { Capture, MessageRecord, Lifeline } from "../types.js" */
import { lastName } from "./format.js";

/** Who sends from outside of all actors. */
export const OUTSIDE = 0;

/**
 * @typedef {object} Trace
 * @property {number} trace
 * @property {string} title the message that began it
 * @property {number} messages
 * @property {number} actors
 * @property {number} from_us
 * @property {number} us how long it took, as far as it was seen
 * @property {number} urgent
 * @property {number} dropped
 */
/**
 * @typedef {object} Arrow
 * @property {MessageRecord} record
 * @property {number} from column
 * @property {number} to column
 * @property {number} fromRow
 * @property {number} toRow
 * @property {number|null} endRow where its handler ended; none while it runs
 * @property {boolean} isDropped it was never begun, or it was not handled to its end
 * @property {boolean} wasBegun
 */
/**
 * @typedef {object} Diagram
 * @property {{ actor: number, label: string, path: string, place: string }[]} columns
 * @property {Arrow[]} arrows
 * @property {{ column: number, fromRow: number, toRow: number|null, what: string }[]} steps
 * @property {number} rows
 * @property {number[]} times the moment of each row, in µs since the first
 * @property {number} left how many messages are not drawn because they are too many
 */

/** @param {Capture} capture @returns {Trace[]} those with most messages first */
export function traces(capture) {
  /** @type {Map<number, MessageRecord[]>} */
  const groups = new Map();
  for (const record of capture.messages) {
    const group = groups.get(record.trace);
    if (group) group.push(record);
    else groups.set(record.trace, [record]);
  }
  return [...groups].map(([trace, records]) => {
    const first = records.reduce((a, b) => (b.sent_us < a.sent_us ? b : a));
    const actors = new Set(records.flatMap((r) => (r.from == null ? [r.to] : [r.from, r.to])));
    const until = Math.max(...records.map((r) => r.ended_us ?? capture.until_us));
    return {
      trace, title: first.message, messages: records.length, actors: actors.size, from_us: first.sent_us,
      us: until - first.sent_us, urgent: records.filter((r) => r.urgent).length, dropped: records.filter(isDropped).length,
    };
  }).sort((a, b) => b.messages - a.messages || a.from_us - b.from_us);
}

/** @param {MessageRecord} record */
export function isDropped(record) {
  return record.ended_us != null && record.outcome !== "handled";
}

/** A dropped message that never had a handler has no time with one. @param {MessageRecord} record */
export function wasBegun(record) {
  return !isDropped(record) || (record.begun_us > 0 && record.ended_us != null && record.ended_us > record.begun_us);
}

/**
 * @param {Capture} capture
 * @param {{ trace?: number|null, text?: string, most?: number }} [wanted] @returns {Diagram}
 */
export function diagram(capture, { trace = null, text = "", most = 300 } = {}) {
  const lifelines = new Map(capture.lifelines.map((line) => [line.actor, line]));
  const all = capture.messages
    .filter((r) => (trace === null || r.trace === trace) && mentions(r, lifelines, text))
    .sort((a, b) => a.sent_us - b.sent_us || a.id - b.id);
  const records = all.slice(0, most);
  const columnOf = new Map();
  for (const record of records) {
    for (const actor of [record.from ?? OUTSIDE, record.to]) if (!columnOf.has(actor)) columnOf.set(actor, columnOf.size);
  }
  const last = records.reduce((t, r) => Math.max(t, r.ended_us ?? capture.until_us), 0);
  const chosen = new Set(records.map((r) => r.trace));
  const steps = capture.steps.filter((s) => columnOf.has(s.actor) && s.at_us <= last && chosen.has(s.trace));
  const rowOf = placeRows(records, steps);
  /** @param {string} key */
  const row = (key) => rowOf.places.get(key) ?? 0;
  return {
    columns: [...columnOf.keys()].map((actor) => {
      const line = lifelines.get(actor);
      const outside = actor === OUTSIDE;
      const path = outside ? "outside" : (line?.path ?? `#${actor}`);
      return { actor, label: outside ? "outside" : lastName(path), path, place: line ? `${line.place}, ${line.lane}` : "" };
    }),
    arrows: records.map((record) => ({
      record, from: columnOf.get(record.from ?? OUTSIDE), to: columnOf.get(record.to), fromRow: row(`sent ${record.id}`),
      toRow: row(`begun ${record.id}`), endRow: record.ended_us == null ? null : row(`ended ${record.id}`),
      isDropped: isDropped(record), wasBegun: wasBegun(record),
    })),
    steps: steps.map((step, i) => ({
      column: columnOf.get(step.actor), what: step.what, fromRow: row(`step ${i}`),
      toRow: step.until_us == null ? null : row(`done ${i}`),
    })),
    rows: rowOf.times.length,
    times: rowOf.times.map((at) => at - (rowOf.times[0] ?? 0)),
    left: all.length - records.length,
  };
}

/**
 * One row for each thing that happens, in the order of time. A message that is begun before anything else happens
 * has one row for both, so that its arrow is level.
 * @param {MessageRecord[]} records @param {{ at_us: number, until_us: number|null }[]} steps
 */
function placeRows(records, steps) {
  /** @type {{ at: number, rank: number, key: string, after?: string }[]} */
  const events = [];
  for (const r of records) {
    events.push({ at: r.sent_us, rank: 2, key: `sent ${r.id}` });
    const begun = wasBegun(r) ? r.begun_us : (r.ended_us ?? r.begun_us);
    events.push({ at: Math.max(begun, r.sent_us), rank: 3, key: `begun ${r.id}`, after: `sent ${r.id}` });
    if (r.ended_us != null) {
      const after = wasBegun(r) ? undefined : `begun ${r.id}`;
      events.push({ at: Math.max(r.ended_us, begun), rank: r.ended_us > begun ? 1 : 5, key: `ended ${r.id}`, after });
    }
  }
  steps.forEach((step, i) => {
    events.push({ at: step.at_us, rank: 4, key: `step ${i}` });
    if (step.until_us != null) events.push({ at: step.until_us, rank: step.until_us > step.at_us ? 0 : 5, key: `done ${i}` });
  });
  events.sort((a, b) => a.at - b.at || a.rank - b.rank);
  /** @type {Map<string, number>} */
  const places = new Map();
  /** @type {number[]} */
  const times = [];
  let latest = "";
  for (const event of events) {
    const isLevel = event.after !== undefined && event.after === latest;
    if (!isLevel) times.push(event.at);
    places.set(event.key, times.length - 1);
    latest = event.key;
  }
  return { places, times };
}

/** @param {MessageRecord} record @param {Map<number, Lifeline>} lifelines @param {string} text */
function mentions(record, lifelines, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return true;
  const names = [record.from, record.to].map((id) => (id == null ? "outside" : (lifelines.get(id)?.path ?? "")));
  return [record.message, ...names].some((name) => name.toLowerCase().includes(wanted));
}
