// Made-up messages between the actors of a made-up stage: captures, flows, waits, pages of actors.
import { random } from "./fake-stage.mjs";

/** @typedef {import("./fake-stage.mjs").FakeStage} FakeStage */
/** @typedef {any} Any */

const LANES = /** @type {Record<string, (a: Any) => string>} */ ({ task: (a) => `loop ${a.id % 2}`, fiber: (a) => `fibers ${a.id % 2}`, thread: (a) => `thread ${a.thread}`, process: (a) => `process ${a.process?.pid}` });

/** @param {FakeStage} stage @param {number} window_ms @param {number} [seed] */
export function capture(stage, window_ms, seed = 3) {
  const rand = random(seed);
  const until_us = stage.now() * 1000;
  const from_us = until_us - window_ms * 1000;
  const everybody = [...stage.actors.values()].filter((a) => a.status !== "ended").slice(0, 60);
  const pick = () => everybody[Math.floor(rand() * everybody.length)];
  /** @type {Any[]} */ const messages = [];
  /** @type {Any[]} */ const steps = [];
  let id = 100;
  /** @param {Any|null} from @param {Any} to @param {number} at @param {number} trace @param {number|null} cause @param {number} depth @returns {number} the end */
  const send = (from, to, at, trace, cause, depth) => {
    id += 1;
    const me = id;
    const begun_us = at + (rand() < 0.4 ? 0 : Math.floor(rand() * 4000));
    const record = { id: me, trace: trace || me, cause, from: from?.id ?? null, to: to.id, message: ["Get", "Put", "Resize", "Tick", "Report"][me % 5], urgent: rand() < 0.08, ask: rand() < 0.5,
      sent_us: at, begun_us, ended_us: /** @type {number|null} */ (begun_us), outcome: "handled" };
    messages.push(record);
    if (rand() < 0.05) return Object.assign(record, { outcome: "asker gone", ended_us: begun_us }).begun_us;
    let end = begun_us + 200 + Math.floor(rand() * 5000);
    if (rand() < 0.3) steps.push({ actor: to.id, trace: record.trace, what: ["reading", "resizing", "writing rows"][me % 3], at_us: begun_us + 50, until_us: end - 50 });
    for (let i = 0; i < 2 && depth < 3; i += 1) if (rand() < 0.6) end = Math.max(end, send(to, pick(), begun_us + Math.floor(rand() * 1000), record.trace, me, depth + 1) + 20);
    if (me % 23 === 0) end += 120_000;
    record.ended_us = end > until_us ? null : end;
    if (me % 17 === 0 && record.ended_us) record.outcome = "interrupted";
    return end;
  };
  for (let i = 0; i < 30; i += 1) send(null, pick(), from_us + Math.floor((i / 30) * window_ms * 1000), 0, null, 0);
  send(null, stage.stuck, from_us + 1000, 0, null, 3);
  const last = messages.at(-1);
  Object.assign(last, { message: "Resize", ended_us: null, outcome: "handled" });
  messages.sort((a, b) => a.sent_us - b.sent_us);
  const order = [...new Set(messages.flatMap((m) => [m.from, m.to]))].filter((n) => n != null);
  const lifelines = order.map((n) => stage.actors.get(n)).map((a) => ({ actor: a.id, path: a.path, actor_type: a.actor_type, place: a.place, lane: LANES[a.place]?.(a) ?? "loop 0" }));
  return { from_us, until_us, lifelines, messages, steps, lost: 0 };
}

/** @param {FakeStage} stage */
export function waits(stage) {
  const edge = (/** @type {Any} */ a, /** @type {Any} */ b) => ({ from: a.id, from_path: a.path, to: b.id, to_path: b.path, message: "Transfer", for_ms: Date.now() - (a.startedRunning ?? Date.now()) });
  const { left, right, stuck } = stage;
  const asker = [...stage.actors.values()].find((a) => a.path === "pool/worker-0") ?? left;
  const edges = [edge(asker, stuck)].filter(() => stuck.message);
  const isDead = left.message && right.message;
  if (left.message) edges.push(edge(left, right));
  if (right.message) edges.push(edge(right, left));
  return { edges, cycles: isDead ? [[left.id, right.id]] : [] };
}

/** @param {FakeStage} stage */
export function flow(stage) {
  const rand = random(11);
  const some = [...stage.actors.values()].filter((a) => a.status !== "ended").slice(0, 46);
  const edges = some.slice(1).map((a, i) => ({ from: i % 9 === 0 ? null : some[Math.floor(i / 3)]?.id, to: a.id, per_s: rand() * rand() * 900, wait_p50_us: 2 ** Math.floor(rand() * 12), types: ["Get", "Put"], backpressured: a === stage.sink }));
  edges.push({ from: some[12]?.id, to: some[3]?.id, per_s: 40, wait_p50_us: 64, types: ["Reply"], backpressured: false });
  return { window_ms: 2000, edges: edges.filter((e) => e.from !== e.to).sort((a, b) => b.per_s - a.per_s) };
}

/** @param {FakeStage} stage @param {number} id */
export function page(stage, id) {
  const actor = stage.actors.get(id);
  if (!actor) return null;
  const { edges } = waits(stage);
  const all = capture(stage, 1000, id + Math.floor(Date.now() / 1000));
  const isBusy = actor.message && actor.status !== "ended";
  const freshness = actor.status === "ended" ? { mark: "post_mortem" } : isBusy ? { mark: "stale", age_ms: 8200 } : { mark: "live" };
  const queue = Array.from({ length: Math.min(8, actor.queued) }, (_, i) => ({ message: i ? "Resize" : "Abort", urgent: i === 0, ask: i % 2 === 0, from: i % 3 ? null : stage.left.id, waiting_us: 900_000 - i * 80_000 }));
  return {
    ...stage.view(actor), state: { seen: actor.handled, cache: { entries: 12, bytes: 4096, names: ["a.png", "<b>bold</b>"] }, mode: "fast" }, freshness, queue,
    wait_histogram: { buckets: [0, 2, 9, 40, 61, 30, 12, 4, 0, 1, 1] }, handle_histogram: { buckets: [0, 0, 0, 4, 18, 77, 40, 22, 9, 5, 1, 0, 0, 0, 1] },
    types: [{ message: "Get", handled: actor.handled }, { message: "Put", handled: 3 }],
    exits: actor.last_exit ? [{ at_ms: Date.now() - 60_000, reason: actor.last_exit, text: "panicked: index out of bounds", restarted: actor.status !== "ended" }] : [],
    messages: all.messages.slice(0, 20).map((m) => ({ ...m, to: id })), steps: all.steps.slice(0, 5),
    children: [...stage.actors.values()].filter((a) => a.parent === id).map((a) => a.id), waits_for: edges.filter((e) => e.from === id), waited_for_by: edges.filter((e) => e.to === id),
    server: stage.servers.find((server) => server.supervisor === id) ?? null, ...(actor.path === "work-loop/dispatcher" ? { request: "work-loop/3.912" } : {}),
  };
}
