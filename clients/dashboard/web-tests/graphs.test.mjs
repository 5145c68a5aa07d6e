import assert from "node:assert/strict";
import { test } from "node:test";
import { isOnCycle, waitCycles } from "../assets/pure/cycles.js";
import { edgeKey, layered } from "../assets/pure/layered.js";
import { random } from "./fake-stage.mjs";

const SIZES = { nodeWidth: 100, nodeHeight: 40, gapX: 60, gapY: 20 };

/** @param {() => number} rand @param {number} nodes @param {number} edges */
function graph(rand, nodes, edges) {
  const ids = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const pick = () => ids[Math.floor(rand() * nodes)] ?? "n0";
  return { ids, edges: Array.from({ length: edges }, () => ({ from: pick(), to: pick(), weight: Math.floor(rand() * 9) })) };
}

test("a random graph has a place for every node, and none lies on another", () => {
  const rand = random(21);
  for (let round = 0; round < 60; round += 1) {
    const { ids, edges } = graph(rand, 2 + Math.floor(rand() * 30), Math.floor(rand() * 60));
    const layout = layered(ids, edges, SIZES);
    assert.equal(layout.nodes.size, ids.length);
    const places = [...layout.nodes.values()];
    places.forEach((a, i) => places.slice(i + 1).forEach((b) => {
      assert.ok(Math.abs(a.x - b.x) >= SIZES.nodeWidth || Math.abs(a.y - b.y) >= SIZES.nodeHeight);
    }));
    assert.ok(places.every((at) => at.x >= 0 && at.y >= 0 && at.x <= layout.width && at.y <= layout.height));
    for (const edge of edges) {
      if (edge.from === edge.to || layout.backward.has(edgeKey(edge))) continue;
      assert.ok((layout.nodes.get(edge.from)?.x ?? 0) < (layout.nodes.get(edge.to)?.x ?? 0), "edges that are not backward go right");
    }
  }
});

test("the same graph looks the same, in whichever order it comes", () => {
  const { ids, edges } = graph(random(5), 20, 40);
  const distinct = [...new Map(edges.map((edge) => [edgeKey(edge), edge])).values()];
  const one = layered(ids, distinct, SIZES);
  const other = layered([...ids].reverse(), [...distinct].reverse(), SIZES);
  assert.deepEqual(new Map([...one.nodes].sort()), new Map([...other.nodes].sort()));
  assert.equal(layered([], [], SIZES).nodes.size, 0);
});

test("circles of waits are found once each, and nothing else is", () => {
  const edges = [[1, 2], [2, 3], [3, 1], [4, 1], [5, 5], [6, 7], [7, 8]].map(([from, to]) => ({ from: from ?? 0, to: to ?? 0 }));
  assert.deepEqual(waitCycles(edges), [[1, 2, 3], [5]]);
  assert.ok(isOnCycle([1, 2, 3], { from: 3, to: 1 }) && !isOnCycle([1, 2, 3], { from: 4, to: 1 }));
  assert.deepEqual(waitCycles([]), []);
});

test("who each waits for one is in a circle exactly if the way leads back", () => {
  const rand = random(31);
  for (let round = 0; round < 200; round += 1) {
    const nodes = 2 + Math.floor(rand() * 12);
    const next = new Map(Array.from({ length: nodes }, (_, i) => [i, rand() < 0.2 ? null : Math.floor(rand() * nodes)]));
    const edges = [...next].filter(([, to]) => to !== null).map(([from, to]) => ({ from, to: Number(to) }));
    const inCircle = new Set([...next.keys()].filter((begin) => {
      let at = next.get(begin) ?? null;
      for (let i = 0; i < nodes && at !== null && at !== begin; i += 1) at = next.get(at) ?? null;
      return at === begin;
    }));
    const found = waitCycles(edges);
    assert.deepEqual(new Set(found.flat()), inCircle);
    for (const cycle of found) cycle.forEach((id, i) => assert.equal(next.get(id), cycle[(i + 1) % cycle.length]));
  }
});

test("a long chain does not overflow the stack", () => {
  const edges = Array.from({ length: 20_000 }, (_, i) => ({ from: i, to: i + 1 }));
  assert.deepEqual(waitCycles(edges), []);
});
