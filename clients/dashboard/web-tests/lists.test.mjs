import assert from "node:assert/strict";
import { test } from "node:test";
import { changedPaths, pointer } from "../assets/pure/json-diff.js";
import { matches, sorted, top } from "../assets/pure/select.js";
import { treeRows } from "../assets/pure/tree.js";
import { FakeStage, random } from "./fake-stage.mjs";

/** @returns {any[]} */
const actors = () => [...new FakeStage({ fillers: 60 }).actors.values()];

test("every word of a search is found somewhere", () => {
  const [actor] = actors();
  const process = actors().find((a) => a.place === "process");
  const filter = /** @type {const} */ ({ text: "", status: "", place: "" });
  assert.ok(matches(actor, { ...filter, text: " ECHO supervisor " }));
  assert.ok(!matches(actor, { ...filter, text: "echo nobody" }));
  assert.ok(matches(process, { ...filter, text: String(process.process.pid), place: "process" }));
  assert.ok(!matches(process, { ...filter, place: "task" }));
  assert.ok(!matches(actor, { ...filter, status: "ended" }));
});

test("sorting is total, keeps everybody, and puts the unknown last both ways", () => {
  const rand = random(1);
  for (let round = 0; round < 100; round += 1) {
    const items = Array.from({ length: 30 }, (_, id) => ({ id, value: rand() < 0.2 ? null : Math.floor(rand() * 5) }));
    for (const direction of /** @type {const} */ (["up", "down"])) {
      const order = sorted(items, (item) => item.value, direction);
      assert.deepEqual(order, sorted([...items].reverse(), (item) => item.value, direction), "the order in which they come does not matter");
      assert.equal(new Set(order).size, items.length);
      const known = order.filter((item) => item.value !== null);
      assert.ok(order.slice(0, known.length).every((item) => item.value !== null));
      known.forEach((item, i) => {
        const next = known[i + 1];
        if (next) assert.ok(direction === "up" ? Number(item.value) <= Number(next.value) : Number(item.value) >= Number(next.value));
      });
    }
  }
});

test("the few largest are those of a full sort", () => {
  const rand = random(6);
  for (let round = 0; round < 100; round += 1) {
    const items = Array.from({ length: 50 }, (_, id) => ({ id, value: Math.floor(rand() * 20) - 4 }));
    const best = top(items, (item) => item.value, 5).map(({ value }) => value);
    const full = items.map(({ value }) => value).filter((value) => value > 0).sort((a, b) => b - a).slice(0, 5);
    assert.deepEqual(best, full);
  }
});

test("a tree shows everybody once, parents first, whatever the parents are", () => {
  const rand = random(9);
  const [sample] = actors();
  for (let round = 0; round < 100; round += 1) {
    const all = new Map(Array.from({ length: 30 }, (_, id) => [id, { ...sample, id, parent: rand() < 0.2 ? null : Math.floor(rand() * 35) }]));
    const rows = treeRows(all, new Set());
    assert.deepEqual(rows.map((row) => row.id).sort((a, b) => a - b), [...all.keys()]);
    const seen = new Set();
    for (const row of rows) {
      if (row.depth > 0) assert.ok(seen.has(row.actor.parent));
      seen.add(row.id);
    }
  }
});

test("what is below a folded actor is hidden", () => {
  const stage = new FakeStage({ fillers: 5 });
  const all = /** @type {any} */ (stage.actors);
  const echo = all.get(1);
  const rows = treeRows(all, new Set([echo.id]));
  assert.ok(rows.every((row) => row.actor.parent !== echo.id));
  const row = rows.find(({ id }) => id === echo.id);
  assert.deepEqual([row?.isOpen, row?.children, row?.depth], [false, 8, 0]);
});

test("changes are found where they are, and nowhere else", () => {
  const before = { a: 1, b: { c: [1, 2, { d: null }] }, "x/y": 1 };
  assert.deepEqual([...changedPaths(before, structuredClone(before))], []);
  assert.deepEqual([...changedPaths(before, { ...before, a: 2, "x/y": 3 })], ["/a", "/x~1y"]);
  assert.deepEqual([...changedPaths(before, { ...before, b: { c: [1, 2, { d: 1 }, 5] } })], ["/b/c/2/d", "/b/c/3"]);
  assert.deepEqual([...changedPaths(before, { a: 1 })], [""]);
  assert.deepEqual([...changedPaths([1], { 0: 1 })], [""]);
  assert.equal(pointer("/a", "b~c"), "/a/b~0c");
});

test("one random change of a random value is the one that is found", () => {
  const rand = random(12);
  /** @param {number} depth @returns {any} */
  const value = (depth) => (depth === 0 || rand() < 0.3 ? Math.floor(rand() * 9) : Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`k${i}`, value(depth - 1)])));
  for (let round = 0; round < 200; round += 1) {
    const before = { root: value(4) };
    const after = structuredClone(before);
    /** @type {any} */ let at = after;
    let path = "";
    for (let key = "root"; ; key = `k${Math.floor(rand() * 3)}`) {
      path = pointer(path, key);
      if (typeof at[key] !== "object") {
        at[key] = "new";
        break;
      }
      at = at[key];
    }
    assert.deepEqual([...changedPaths(before, after)], [path]);
  }
});
