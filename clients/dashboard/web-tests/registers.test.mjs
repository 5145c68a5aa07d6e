import assert from "node:assert/strict";
import { test } from "node:test";
import { cutFrom, holdingOf, holdingText, lights, links, mapCells, mapRange, nameOf, newestOf, NODE_STATES, outcomeText, quorumsText, seats, shardsOf, stageOf, timelineOf, tookText, verdict, wishOf } from "../assets/pure/registers.js";
import { FakeRegisters } from "./fake-registers.mjs";

const fake = new FakeRegisters();
/** @type {import("../assets/types.js").Registers} */
const seen = fake.seen(1_800_000_000_000);

test("every state of a node can be told from the others without colour", () => {
  const words = Object.values(NODE_STATES).map(({ word }) => word);
  assert.equal(new Set(words).size, words.length);
  assert.deepEqual(["running", "suspended", "ended"].map((state) => NODE_STATES[/** @type {"running"} */ (state)].shape), ["●", "■", "✕"]);
});

test("kinds of quorums are said in numbers", () => {
  const members = [1, 2, 3, 4].map((node) => ({ node, weight: 1 }));
  const text = (/** @type {any} */ quorums) => quorumsText({ index: 0, members, quorums, proposer: 1 });
  assert.equal(text("Majority"), "majority: 3 of 4");
  assert.equal(text({ Thresholds: { read: 1, write: 4 } }), "1 to read, 4 to write");
  assert.equal(text({ Weighted: { read: 3, write: 5 } }), "weight 3 to read, 5 to write");
  assert.equal(text({ Grid: { columns: 2 } }), "grid of 2 × 2: a column reads, a row writes");
  assert.equal(text({ Explicit: {} }), "listed one by one");
});

test("configurations come with the newest first and say where they stand", () => {
  assert.deepEqual(shardsOf(seen), [0]);
  const [newest, older] = timelineOf(seen, 0);
  assert.ok(newest && older);
  assert.equal(newestOf(seen, 0), newest.configuration);
  assert.equal(newestOf(seen, 7), null);
  assert.deepEqual([newest, older].map((entry) => stageOf(entry).word), ["active alone", "removed"]);
  assert.equal(stageOf({ ...newest, installed_ms: null }).word, "decided");
  assert.match(tookText(newest), /decided in 1.90\sms, alone after 9.20\sms, 4 round trips/);
  assert.equal(tookText(older), "it was there at the first look");
});

test("members of different configurations stand below each other", () => {
  const [newest] = timelineOf(seen, 0);
  assert.ok(newest);
  const entry = { ...newest, configuration: { ...newest.configuration, index: 4, members: [{ node: 2, weight: 1 }, { node: 9, weight: 3 }] } };
  const more = { ...seen, timeline: [...seen.timeline, entry] };
  assert.deepEqual(seats(more, 0, entry).map(({ name, weight }) => [name, weight]), [["n1", 0], ["n2", 1], ["n3", 0], ["n9", 3]]);
});

test("a configuration map is written as in the literature, and what everybody has removed is one cell", () => {
  assert.deepEqual(mapRange(seen, 0), { lowest: 2, highest: 3 });
  const signs = (/** @type {any} */ map) => mapCells(map, 2, 4).map(({ sign }) => sign);
  assert.deepEqual(signs({ base: 3, newest: 4 }), ["±2", "±", "c3", "c4"]);
  assert.deepEqual(signs({ base: 2, newest: 3 }), ["±2", "c2", "c3", "⊥"]);
  assert.deepEqual(signs(undefined), ["⊥", "⊥", "⊥", "⊥"]);
  assert.deepEqual(mapCells({ base: 0, newest: 0 }, 0, 0).map(({ sign }) => sign), ["c0"]);
  const long = mapCells({ base: 99, newest: 99 }, 0, 99);
  assert.equal(long.length, 11, "the last ten, and those before them");
  assert.equal(long[0]?.about, "configurations 0 to 89: removed");
});

test("pairs are those of nodes that live, each once", () => {
  const cut = { ...seen, cuts: /** @type {[number, number][]} */ ([[1, 3]]) };
  assert.deepEqual(links(cut).map(({ key, isCut }) => [key, isCut]), [["1-2", false], ["1-3", true], ["1-4", false], ["2-3", false], ["2-4", false], ["3-4", false]]);
  assert.deepEqual(cutFrom(cut, 3), ["n1"]);
  const [first, ...rest] = seen.nodes;
  assert.ok(first);
  assert.equal(links({ ...seen, nodes: [{ ...first, state: "ended" }, ...rest] }).length, 3);
  assert.equal(nameOf(seen.nodes, 77), "n77");
});

test("members light up in the order of their answers, and the verdict counts only members", () => {
  const configuration = timelineOf(seen, 0)[0]?.configuration;
  assert.ok(configuration);
  const asked = /** @type {const} */ ({ configuration, kind: "Read", has_quorum: true });
  const round = /** @type {const} */ ({ step: "query", answered: [3, 9, 1], refused_by: null, configurations: [asked] });
  const shown = lights(/** @type {any} */ (round), configuration, seen.nodes);
  assert.deepEqual(shown.map(({ name, place, answered }) => [name, place, answered]), [["n1", 2, true], ["n2", -1, false], ["n3", 0, true]]);
  assert.deepEqual(verdict(/** @type {any} */ (round), asked), { text: "✓ 2 of 3 members of c3: a read quorum", tone: "good" });
  const alone = verdict(/** @type {any} */ ({ ...round, answered: [1] }), { ...asked, kind: "Write", has_quorum: false });
  assert.deepEqual(alone, { text: "✕ 1 of 3 members of c3: no write quorum", tone: "bad" });
});

test("an outcome says what came of it, through whom and in how many rounds", () => {
  const done = fake.run({ key: "x", act: { set: "1" } });
  assert.match(outcomeText(/** @type {any} */ (done), seen.nodes), /^✓ written, tag 8\.n1\.1\.9 · through n1 in 1\.25\sms, 2 rounds$/);
  const failed = { ...done, rounds: null, outcome: { ...done.outcome, is_done: false, text: "no quorum", tag: "0", version: 3 } };
  assert.match(outcomeText(/** @type {any} */ (failed), seen.nodes), /^✕ no quorum, version 3 · through n1 in 1\.25\sms$/);
});

test("the newest tag is marked with a shape, and silence is not nothing", () => {
  const [city] = fake.keys(new URLSearchParams("key=city")).keys;
  assert.ok(city);
  const texts = [1, 3, 4, 9].map((node) => holdingText(holdingOf(/** @type {any} */ (city), node)));
  assert.deepEqual(texts.map(({ kind }) => kind), ["newest", "older", "nothing", "silent"]);
  assert.equal(texts[0]?.text, "★ 7.n1.1.9 · 4 B");
  const gone = holdingText({ node: 1, tag: "2.n1.1.1", version: null, value_bytes: null, confirmed: true, newest: true });
  assert.equal(gone.text, "★ 2.n1.1.1 · deleted");
  assert.match(gone.about, /write quorum/);
  assert.equal(holdingText({ node: 1, tag: "2.n1.1.1", version: 5, value_bytes: 1, confirmed: false, newest: false }).text, "v5 · 1 B");
});

test("what the form means is a wish, or a reason", () => {
  const names = ["n1", "n2", "n3", "n4"];
  assert.deepEqual(wishOf(names, "majority", 0, 0), { wish: { members: names, quorum: "majority" } });
  assert.deepEqual(wishOf(names, "thresholds", 1, 4), { wish: { members: names, quorum: "thresholds:1,4" } });
  assert.deepEqual(wishOf(names, "grid", 2, 2), { wish: { members: names, quorum: "grid:2x2" } });
  for (const [members, kind, one, other, why] of /** @type {const} */ ([
    [[], "majority", 1, 1, "at least one member"], [names, "grid", 2, 3, "2 × 3 are 6 members, and 4 are chosen"],
    [names, "thresholds", 2, 2, "can miss each other"], [names, "thresholds", 5, 1, "4 members"], [names, "thresholds", NaN, 2, "at least 1"], [names, "grid", 0, 4, "at least 1"],
  ])) {
    const meant = wishOf(members, kind, one, other);
    assert.ok("why" in meant && meant.why.includes(why), JSON.stringify(meant));
  }
});
