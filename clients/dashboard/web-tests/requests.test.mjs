import assert from "node:assert/strict";
import { test } from "node:test";
import { ageOf, arranged, examples, holdOrResume, LINGER_MS, REQUEST_STATES, stateOf, urgentText, wordText, workServer } from "../assets/pure/requests.js";
import { FakeRequests, request } from "./fake-requests.mjs";
import { FakeStage, random } from "./fake-stage.mjs";

/** @typedef {import("../assets/pure/requests.js").Row} Row */
/** @typedef {import("../assets/pure/requests.js").Word} Word */
/** @typedef {import("../assets/types.js").RequestAnswer} RequestAnswer */

const away = { isPointedAt: false, words: new Map() };
const near = { isPointedAt: true, words: new Map() };
const names = (/** @type {Row[]} */ rows) => rows.map(({ key, isOver }) => (isOver ? `${key} over` : key)).join(", ");
const views = (/** @type {string[]} */ ...all) => all.map((name) => request(name));

test("no row moves away under the mouse, whatever comes and goes", () => {
  const rand = random(5);
  /** @type {Row[]} */ let rows = [];
  for (let round = 0; round < 200; round += 1) {
    const now = Array.from({ length: 12 }, (_, i) => `w/${i}.1`).filter(() => rand() < 0.5).sort(() => rand() - 0.5);
    const before = rows.map(({ key }) => key);
    rows = arranged(rows, views(...now), round, near);
    assert.deepEqual(rows.slice(0, before.length).map(({ key }) => key), before);
    assert.deepEqual(rows.filter(({ isOver }) => !isOver).map(({ key }) => key).sort(), [...now].sort());
  }
});

test("what is over goes when nobody points at it and its last word was there to be read", () => {
  const rows = arranged([], views("w/1.1", "w/2.1", "w/3.1"), 0, away);
  assert.equal(names(rows), "w/1.1, w/2.1, w/3.1");
  assert.equal(names(arranged(rows, views("w/3.1", "w/4.1"), 1000, near)), "w/1.1 over, w/2.1 over, w/3.1, w/4.1");
  assert.equal(names(arranged(rows, views("w/3.1", "w/4.1"), 1000, away)), "w/3.1, w/4.1");
  const words = new Map([["w/2.1", /** @type {Word} */ ({ verb: "cancel", at_ms: 900 })]]);
  const lingering = arranged(rows, views("w/3.1"), 1000, { isPointedAt: false, words });
  assert.equal(names(lingering), "w/2.1 over, w/3.1");
  assert.equal(names(arranged(lingering, views("w/3.1"), 900 + LINGER_MS, { isPointedAt: false, words })), "w/3.1");
});

test("there are never more rows than can be meant", () => {
  /** @type {Row[]} */ let rows = [];
  for (let round = 0; round < 20; round += 1) rows = arranged(rows, Array.from({ length: 200 }, (_, i) => request(`w/${round * 200 + i}.1`)), round, near);
  assert.equal(rows.length, 400);
  assert.equal(rows.at(-1)?.key, "w/3999.1");
});

test("age grows until a request is over", () => {
  const [row] = arranged([], views("w/1.1"), 5000, away);
  assert.ok(row);
  assert.equal(ageOf(row, 5700), 1700);
  const [over] = arranged([row], [], 6000, near);
  assert.ok(over);
  assert.equal(stateOf(over), "finished");
  assert.equal(ageOf(over, 99_000), 1000);
});

/** @param {Word["verb"]} verb @param {RequestAnswer["state"]} state @param {RequestAnswer["remark"]} remark @returns {Word} */
const word = (verb, state, remark = "none") => ({ verb, at_ms: 0, answer: { state, remark } });

test("what is pending cannot be taken for done, nor what came too late", () => {
  assert.deepEqual(wordText(undefined), { text: "", tone: "calm" });
  assert.deepEqual(wordText({ verb: "hold", at_ms: 0 }), { text: "◔ hold …", tone: "calm" });
  assert.deepEqual(wordText(word("hold", "held")), { text: "✓ held", tone: "good" });
  assert.deepEqual(wordText(word("cancel", "finished", { note: "its process was killed" })), { text: "✓ finished: its process was killed", tone: "good" });
  assert.deepEqual(wordText(word("hold", "running", { pending: "no checkpoint" })), { text: "◐ hold pending: no checkpoint", tone: "warn" });
  assert.deepEqual(wordText(word({ priority: 5 }, "running", { note: "nice 5 for thread 7" })), { text: "✓ running: nice 5 for thread 7", tone: "good" });
  assert.deepEqual(wordText(word("resume", "finished")), { text: "○ resume came too late: finished", tone: "calm" });
  assert.deepEqual(wordText(word("cancel", "not-found")), { text: "○ cancel came too late: not found", tone: "calm" });
  assert.deepEqual(wordText({ verb: "hold", at_ms: 0, error: "the stage is ending" }), { text: "✕ hold: the stage is ending", tone: "bad" });
});

test("a hold that is held or still awaited can be taken back", () => {
  const [row] = arranged([], views("w/1.1"), 0, away);
  assert.ok(row);
  assert.equal(holdOrResume(row, undefined), "hold");
  assert.equal(holdOrResume(row, word("hold", "running", { pending: "no checkpoint" })), "resume");
  assert.equal(holdOrResume(row, word("cancel", "running", { pending: "no checkpoint" })), "hold");
  assert.equal(holdOrResume({ ...row, view: { ...row.view, state: "held" } }, undefined), "resume");
});

test("every state has a shape of its own, and held is coloured as suspended is", () => {
  const shapes = Object.values(REQUEST_STATES).map(({ shape }) => shape);
  assert.equal(new Set(shapes).size, shapes.length);
  assert.equal(REQUEST_STATES.held.tone, "warn");
});

test("the urgent port says what its thread did not get", () => {
  const { urgent } = new FakeRequests().list();
  assert.equal(urgentText(urgent).tone, "warn");
  assert.match(urgentText({ ...urgent, obtained: "SCHED_FIFO 50" }).text, /^● .*127\.0\.0\.1:7009; its thread runs with SCHED_FIFO 50\.$/);
  assert.equal(urgentText(null).tone, "calm");
});

test("examples ask a server of this stage that can take long", () => {
  const { servers } = new FakeStage();
  const server = workServer(servers);
  assert.equal(server?.name, "work-threads");
  const [first, second, third, ...rest] = examples(server, true);
  assert.deepEqual([first?.text, second?.text, rest.length], ["palco call work-threads --cpu 30s", "palco urgent hold TICKET", 0]);
  assert.match(third?.text ?? "", /create_connection\(\("127\.0\.0\.1", 7006\)\)/);
  assert.match(examples(server && { ...server, address: "[::1]:7103" }, true)[2]?.text ?? "", /\(\("::1", 7103\)\)/);
  assert.equal(examples(server, false).length, 1);
  assert.deepEqual(examples(workServer([]), true), []);
});
