// How a snapshot, a delta, a log line and a load change what the page knows. Pure: old state in, new state out.
/** @import { State, SnapshotBody, Delta, LogEntry, LoadView, ServerView } from "../types.js" */

export const LOG_MAX = 1000;
export const LETTERS_MAX = 500;

/** @returns {State} nothing is known yet */
export function emptyState() {
  return {
    stage: null, seq: 0, at_ms: 0, totals: null, actors: new Map(), seen_at: new Map(), lints: [], log: [], letters: [],
    servers: [], loads: new Map(),
  };
}

/**
 * A snapshot replaces everything, but log lines and loads that came before it are kept.
 * @param {State} state @param {SnapshotBody} body @returns {State}
 */
export function applySnapshot(state, body) {
  const { observed } = body;
  const sameStage = state.stage?.pid === body.stage.pid && state.stage?.started_at === body.stage.started_at;
  return {
    stage: body.stage,
    seq: observed.seq,
    at_ms: observed.at_ms,
    totals: observed.totals,
    actors: new Map(observed.actors.map((actor) => [actor.id, actor])),
    seen_at: new Map(observed.actors.map((actor) => [actor.id, observed.at_ms])),
    lints: observed.lints,
    log: mergeLog(sameStage ? state.log : [], observed.log),
    letters: observed.dead_letters.slice(-LETTERS_MAX),
    servers: body.servers,
    loads: sameStage ? state.loads : new Map(),
  };
}

/**
 * A delta that is not newer than what is known changes nothing.
 * @param {State} state @param {Delta} delta @returns {State}
 */
export function applyDelta(state, delta) {
  if (delta.seq <= state.seq) return state;
  const actors = new Map(state.actors);
  const seen_at = new Map(state.seen_at);
  for (const actor of delta.changed) {
    actors.set(actor.id, actor);
    seen_at.set(actor.id, delta.at_ms);
  }
  for (const id of delta.gone) {
    actors.delete(id);
    seen_at.delete(id);
  }
  const letters = delta.dead_letters ?? [];
  return {
    ...state,
    seq: delta.seq,
    at_ms: delta.at_ms,
    totals: delta.totals,
    actors,
    seen_at,
    lints: delta.lints ?? state.lints,
    letters: letters.length ? [...state.letters, ...letters].slice(-LETTERS_MAX) : state.letters,
    servers: delta.servers ?? state.servers,
  };
}

/** @param {State} state @param {LogEntry} entry @returns {State} */
export function applyLog(state, entry) {
  const log = mergeLog(state.log, [entry]);
  return log === state.log ? state : { ...state, log };
}

/** @param {State} state @param {LoadView[]} views @returns {State} */
export function applyLoads(state, views) {
  const loads = new Map(state.loads);
  for (const view of views) loads.set(view.server, view);
  return { ...state, loads };
}

/** @param {State} state @param {ServerView[]} servers @returns {State} */
export function applyServers(state, servers) {
  return { ...state, servers };
}

/**
 * Both in the order of their numbers, each number once.
 * @param {readonly LogEntry[]} known @param {readonly LogEntry[]} more @returns {readonly LogEntry[]}
 */
function mergeLog(known, more) {
  const last = known.at(-1)?.seq ?? -Infinity;
  const fresh = more.every((entry, i) => entry.seq > (more[i - 1]?.seq ?? last));
  if (fresh) return more.length ? [...known, ...more].slice(-LOG_MAX) : known;
  const bySeq = new Map(known.map((entry) => [entry.seq, entry]));
  const before = bySeq.size;
  for (const entry of more) bySeq.set(entry.seq, entry);
  if (bySeq.size === before) return known;
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq).slice(-LOG_MAX);
}
