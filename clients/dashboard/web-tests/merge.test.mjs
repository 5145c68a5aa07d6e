import assert from "node:assert/strict";
import { test } from "node:test";
import { applyDelta, applyLoads, applyLog, applySnapshot, emptyState, LETTERS_MAX, LOG_MAX } from "../assets/pure/merge.js";
import { FakeStage, random } from "./fake-stage.mjs";

/** @param {number} seq @param {object} [more] @returns {any} */
const entry = (seq, more = {}) => ({ seq, at_ms: seq, kind: "ended", actor: 1, path: "a", text: "", ...more });

test("a snapshot and the deltas after it give the same as a later snapshot", () => {
  const stage = new FakeStage({ fillers: 50, seed: 3 });
  let state = applySnapshot(emptyState(), structuredClone(stage.snapshot()));
  for (let i = 0; i < 30; i += 1) state = applyDelta(state, structuredClone(stage.tick()));
  const fresh = applySnapshot(emptyState(), structuredClone(stage.snapshot()));
  const counters = (/** @type {typeof state} */ s) => [...s.actors.values()].map((a) => [a.id, a.sent, a.handled, a.queued, a.status]);
  assert.deepEqual(counters(state), counters(fresh));
  assert.equal(state.seq, fresh.seq);
});

test("deltas with random changes leave exactly those actors that were not taken away", () => {
  const rand = random(11);
  const stage = new FakeStage({ fillers: 0 });
  const sample = stage.view(stage.stuck);
  let state = applySnapshot(emptyState(), structuredClone(stage.snapshot()));
  const expected = new Map([...state.actors].map(([id, a]) => [id, a.sent]));
  const last = state.seq + 200;
  for (let seq = state.seq + 1; seq < last; seq += 1) {
    const id = Math.floor(rand() * 40);
    const isGone = rand() < 0.4;
    const delta = /** @type {any} */ ({ seq, at_ms: seq, totals: state.totals, changed: isGone ? [] : [{ ...sample, id, sent: seq }], gone: isGone ? [id] : [] });
    const before = new Map(state.actors);
    const old = state;
    state = applyDelta(state, delta);
    assert.deepEqual(old.actors, before, "what was known before is not changed in place");
    if (isGone) expected.delete(id);
    else expected.set(id, seq);
  }
  assert.deepEqual(new Map([...state.actors].map(([id, a]) => [id, a.sent])), expected);
  assert.deepEqual([...state.seen_at.keys()].sort(), [...state.actors.keys()].sort());
});

test("an old delta changes nothing", () => {
  const stage = new FakeStage();
  const state = applySnapshot(emptyState(), stage.snapshot());
  const old = { ...stage.tick(), seq: state.seq };
  assert.equal(applyDelta(state, old), state);
});

test("each log line is there once, in the order of its number, and the log has an end", () => {
  let state = emptyState();
  const rand = random(5);
  for (let i = 0; i < 3000; i += 1) state = applyLog(state, entry(1 + Math.floor(rand() * 1500)));
  const seqs = state.log.map(({ seq }) => seq);
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b));
  assert.ok(seqs.length <= LOG_MAX);
  assert.equal(applyLog(state, entry(seqs.at(-1) ?? 0)), state);
});

test("a snapshot of another stage forgets log and loads, one of the same keeps them", () => {
  const stage = new FakeStage();
  const body = structuredClone(stage.snapshot());
  let state = applySnapshot(emptyState(), body);
  state = applyLog(state, entry(9_000));
  state = applyLoads(state, [/** @type {any} */ ({ server: "kv" })]);
  const again = applySnapshot(state, body);
  assert.equal(again.log.at(-1)?.seq, 9_000);
  assert.equal(again.loads.size, 1);
  const other = applySnapshot(state, { ...body, stage: { ...body.stage, pid: 1 } });
  assert.equal(other.loads.size, 0);
  assert.ok(other.log.every(({ seq }) => seq < 9_000));
});

test("dead letters are kept up to a limit", () => {
  const stage = new FakeStage();
  let state = applySnapshot(emptyState(), stage.snapshot());
  for (let i = 0; i < LETTERS_MAX + 9; i += 1) {
    state = applyDelta(state, { ...stage.tick(), dead_letters: [{ at_ms: i, to: "a", message: "M", reason: "killed" }] });
  }
  assert.equal(state.letters.length, LETTERS_MAX);
  assert.equal(state.letters.at(-1)?.at_ms, LETTERS_MAX + 8);
});
