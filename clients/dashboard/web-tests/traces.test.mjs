import assert from "node:assert/strict";
import { test } from "node:test";
import { toChromeTrace } from "../assets/pure/chrome-trace.js";
import { toMermaid } from "../assets/pure/mermaid.js";
import { diagram, isDropped, OUTSIDE, traces, wasBegun } from "../assets/pure/sequence.js";
import { axis, lanes } from "../assets/pure/timeline.js";
import { FakeStage } from "./fake-stage.mjs";
import { capture } from "./fake-traffic.mjs";

const stage = new FakeStage();

/** @param {object} more @returns {any} */
const message = (more) => ({ id: 1, trace: 1, cause: null, from: null, to: 7, message: "Get", urgent: false, ask: true, sent_us: 100, begun_us: 110, ended_us: 150, outcome: "handled", ...more });
/** @param {any[]} messages @param {any[]} [steps] @returns {any} */
const small = (messages, steps = []) => ({ from_us: 0, until_us: 1000, messages, steps, lost: 0, lifelines: [7, 8].map((actor) => ({ actor, path: `app/a${actor}`, actor_type: "A", place: "task", lane: "loop 0" })) });

test("traces hold every message once, the largest first", () => {
  for (let seed = 1; seed < 20; seed += 1) {
    const one = capture(stage, 1000, seed);
    const all = traces(one);
    assert.equal(all.reduce((sum, trace) => sum + trace.messages, 0), one.messages.length);
    assert.deepEqual(all.map((t) => t.messages), all.map((t) => t.messages).sort((a, b) => b - a));
    assert.ok(all.every((trace) => trace.us >= 0));
  }
});

test("rows go down with time, and no message begins above where it was sent", () => {
  for (let seed = 1; seed < 20; seed += 1) {
    const drawn = diagram(capture(stage, 1000, seed), { most: 1000 });
    assert.deepEqual(drawn.times, [...drawn.times].sort((a, b) => a - b));
    assert.equal(drawn.times.length, drawn.rows);
    for (const arrow of drawn.arrows) {
      assert.ok(arrow.toRow >= arrow.fromRow);
      assert.ok(arrow.endRow === null || arrow.endRow >= arrow.toRow);
      assert.ok(arrow.from >= 0 && arrow.to < drawn.columns.length);
    }
    for (const step of drawn.steps) assert.ok(step.toRow === null || step.toRow >= step.fromRow);
  }
});

test("an ask without a wait is level; one that waits while something happens is not", () => {
  const level = diagram(small([message({ from: 8, begun_us: 110 })]));
  assert.equal(level.arrows[0]?.fromRow, level.arrows[0]?.toRow);
  const slanted = diagram(small([message({}), message({ id: 2, sent_us: 105, begun_us: 160, ended_us: 170 })]));
  assert.ok((slanted.arrows[1]?.toRow ?? 0) > (slanted.arrows[1]?.fromRow ?? 0));
});

test("outside is a lifeline, a filter and a limit leave out", () => {
  const one = small([message({}), message({ id: 2, trace: 2, from: 7, to: 8, message: "Put", sent_us: 120, begun_us: 121, ended_us: 122 })]);
  assert.deepEqual(diagram(one).columns.map((c) => c.actor), [OUTSIDE, 7, 8]);
  assert.deepEqual(diagram(one, { trace: 2 }).columns.map((c) => c.label), ["a7", "a8"]);
  assert.equal(diagram(one, { text: "put" }).arrows.length, 1);
  assert.deepEqual([diagram(one, { most: 1 }).arrows.length, diagram(one, { most: 1 }).left], [1, 1]);
  assert.equal(diagram(small([])).rows, 0);
});

test("what was dropped in the mailbox was not begun; what was interrupted was", () => {
  const expired = message({ outcome: "asker gone", begun_us: 140, ended_us: 140 });
  const interrupted = message({ outcome: "interrupted" });
  const running = message({ ended_us: null, outcome: "" });
  assert.deepEqual([expired, interrupted, running].map((m) => [isDropped(m), wasBegun(m)]), [[true, false], [true, true], [false, true]]);
});

test("Mermaid text has a participant for each lifeline, and what is opened is closed", () => {
  for (let seed = 1; seed < 10; seed += 1) {
    const drawn = diagram(capture(stage, 1000, seed));
    const text = toMermaid(drawn);
    const lines = text.trimEnd().split("\n");
    assert.equal(lines[0], "sequenceDiagram");
    assert.equal(lines.filter((line) => line.startsWith("  participant")).length, drawn.columns.length);
    const open = new Map();
    for (const line of lines) {
      const [, word, who] = line.match(/^ {2}(activate|deactivate) (a\d+)$/) ?? [];
      if (word) open.set(who, (open.get(who) ?? 0) + (word === "activate" ? 1 : -1));
      if (word) assert.ok(open.get(who) >= 0, `${line} in ${seed}`);
      else assert.match(line, /^(sequenceDiagram|  (participant a\d+ as |a\d+(-\)|->>|-->>|-x|--x)a\d+: |Note over a\d+: ))/);
    }
    assert.ok(!text.includes("<img"), "names cannot become markup");
  }
  assert.match(toMermaid(diagram(small([message({ message: "Order;#end" })]))), /Order#59;#35;end/);
});

test("a Chrome trace has a slice for each message and step, and names for all", () => {
  const one = capture(stage, 1000, 4);
  const { traceEvents } = toChromeTrace(one);
  const slices = traceEvents.filter((event) => event.ph === "X");
  assert.equal(slices.length, one.messages.length + one.steps.length);
  assert.ok(slices.every((slice) => Number(slice.dur) >= 0 && Number.isFinite(slice.ts)));
  assert.equal(traceEvents.filter((event) => event.name === "thread_name").length, one.lifelines.length);
  assert.equal(traceEvents.filter((event) => event.ph === "s").length, traceEvents.filter((event) => event.ph === "f").length);
  assert.doesNotThrow(() => JSON.parse(JSON.stringify(traceEvents)));
});

test("spans of one row do not overlap, loops come first, long ones are marked", () => {
  for (let seed = 1; seed < 20; seed += 1) {
    const all = lanes(capture(stage, 1000, seed));
    const ranks = all.map(({ lane }) => ["loop", "fiber", "thread", "process"].findIndex((word) => lane.startsWith(word)));
    assert.deepEqual(ranks, [...ranks].sort((a, b) => a - b));
    for (const lane of all) {
      const ends = new Map();
      for (const span of lane.spans) {
        assert.ok(span.from_us >= (ends.get(span.row) ?? 0) && span.row < lane.rows);
        ends.set(span.row, span.until_us);
      }
      assert.ok(lane.busy_us <= 1_000_000 + 1);
    }
    assert.ok(all.some((lane) => lane.spans.some((span) => span.isLong && span.isRunning)));
  }
});

test("axes have round steps", () => {
  assert.deepEqual(axis(1000, 5), [0, 200, 400, 600, 800, 1000]);
  assert.ok(axis(7_777_777, 10).length <= 11);
});
