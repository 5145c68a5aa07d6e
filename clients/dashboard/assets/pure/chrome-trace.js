// A capture in the trace-event format, which chrome://tracing and ui.perfetto.dev open.
/** @import { Capture } from "../types.js" */

/** @typedef {Record<string, unknown> & { ph: string, pid: number, tid: number, ts?: number, dur?: number }} TraceEvent */

/**
 * Loops, threads and processes become processes of the trace, actors its threads, handlers its slices, messages its flows.
 * @param {Capture} capture @returns {{ displayTimeUnit: string, traceEvents: TraceEvent[] }}
 */
export function toChromeTrace(capture) {
  /** @type {TraceEvent[]} */
  const traceEvents = [];
  const lanes = [...new Set(capture.lifelines.map((line) => line.lane))];
  lanes.forEach((name, pid) => traceEvents.push({ ph: "M", name: "process_name", pid, tid: 0, args: { name } }));
  const pidOf = new Map(capture.lifelines.map((line) => [line.actor, lanes.indexOf(line.lane)]));
  for (const line of capture.lifelines) {
    const args = { name: `${line.path} (${line.actor_type})` };
    traceEvents.push({ ph: "M", name: "thread_name", pid: pidOf.get(line.actor) ?? 0, tid: line.actor, args });
  }
  const at = (/** @type {number} */ us) => us - capture.from_us;
  const records = new Map(capture.messages.map((record) => [record.id, record]));
  for (const record of capture.messages) {
    const pid = pidOf.get(record.to) ?? 0;
    const dur = Math.max(0, (record.ended_us ?? capture.until_us) - record.begun_us);
    const args = {
      trace: record.trace, from: record.from, wait_us: record.begun_us - record.sent_us, ask: record.ask,
      urgent: record.urgent, outcome: record.outcome,
    };
    const cat = record.urgent ? "message,urgent" : "message";
    traceEvents.push({ ph: "X", name: record.message, cat, pid, tid: record.to, ts: at(record.begun_us), dur, args });
    const cause = record.cause == null ? undefined : records.get(record.cause);
    if (record.from == null || !cause) continue;
    const flow = { name: record.message, cat: "flow", id: record.id };
    traceEvents.push({ ph: "s", ...flow, pid: pidOf.get(record.from) ?? 0, tid: record.from, ts: at(record.sent_us) });
    traceEvents.push({ ph: "f", bp: "e", ...flow, pid, tid: record.to, ts: at(record.begun_us) });
  }
  for (const step of capture.steps) {
    const dur = Math.max(0, (step.until_us ?? capture.until_us) - step.at_us);
    const args = { trace: step.trace };
    traceEvents.push({ ph: "X", name: step.what, cat: "step", pid: pidOf.get(step.actor) ?? 0, tid: step.actor, ts: at(step.at_us), dur, args });
  }
  return { displayTimeUnit: "ms", traceEvents };
}
