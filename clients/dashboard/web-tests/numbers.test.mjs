import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, brief, bytes, count, duration, elapsed, exitReason, isFailure, lastName, percent, rate, timeOfDay } from "../assets/pure/format.js";
import { bars, edges, quantile, quantiles, spanOf, ticks } from "../assets/pure/histogram.js";
import { KEPT_S, Track, Tracks } from "../assets/pure/rates.js";
import { random } from "./fake-stage.mjs";

/** @param {string} text */
const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ");

test("durations have three digits that matter, and their unit", () => {
  const cases = /** @type {[number, string][]} */ ([[0, "0 µs"], [1.5, "1.5 µs"], [850, "850 µs"], [999.7, "1.00 ms"], [1_234, "1.23 ms"], [65_536, "65.5 ms"], [999_499, "999 ms"],
    [999_600, "1.00 s"], [59_940_000, "59.9 s"], [60_000_000, "1 min 00 s"], [3_725_000_000, "1 h 02 min"], [90_000_000_000, "1 d 1 h"]]);
  for (const [us, text] of cases) assert.equal(plain(duration(us)), text);
  assert.equal(duration(null), "–");
  assert.equal(duration(NaN), "–");
  assert.equal(plain(elapsed(1_650)), "1.6 s");
});

test("a longer duration never looks shorter", () => {
  const rand = random(2);
  /** @param {string} text */
  const worth = (text) => {
    const units = /** @type {Record<string, number>} */ ({ µs: 1, ms: 1e3, s: 1e6, min: 6e7, h: 3.6e9, d: 8.64e10 });
    return [...plain(text).matchAll(/([\d.]+) (\S+)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ""] ?? NaN), 0);
  };
  for (let i = 0; i < 2000; i += 1) {
    const a = 10 ** (rand() * 11);
    const b = a * (1 + rand());
    assert.ok(worth(duration(a)) <= worth(duration(b)), `${a} ${duration(a)} ${b} ${duration(b)}`);
  }
});

test("sizes, counts, rates and shares", () => {
  assert.equal(plain(bytes(512)), "512 B");
  assert.equal(plain(bytes(1_048_575)), "1.00 MiB");
  assert.equal(plain(bytes(48_000_000)), "45.8 MiB");
  assert.equal(plain(count(1_234_567)), "1 234 567");
  assert.equal(brief(12_345), "12.3k");
  assert.equal(brief(999_999), "1.00M");
  assert.equal(rate(0), "0");
  assert.equal(rate(2.84), "2.8");
  assert.equal(plain(percent(1, 400)), "0.3 %");
  assert.equal(percent(1, 0), "–");
  assert.equal(ago(5_000, 5_100), "now");
  assert.equal(plain(ago(5_000, 9_900)), "4 s ago");
});

test("a moment is told from the stage's clock, whatever that counts from", () => {
  const wall = new Date(2026, 1, 3, 4, 5, 6, 700).getTime();
  assert.equal(timeOfDay(10_000, 12_000, wall), "04:05:04.7");
  assert.equal(timeOfDay(wall - 2000, wall, 0), "04:05:04.7");
});

test("exit reasons are said as the runtime says them", () => {
  assert.equal(exitReason({ kind: "signaled", detail: { signal: 11, core: true } }), "ended by signal 11 (SIGSEGV), core written");
  assert.equal(exitReason({ kind: "escalated", detail: { child: "kv/worker-1", reason: { kind: "panicked", detail: "boom" } } }), "gave up on kv/worker-1, which panicked: boom");
  assert.equal(exitReason(null), "–");
  assert.ok(!isFailure({ kind: "exited", detail: 0 }) && isFailure({ kind: "exited", detail: 2 }) && isFailure({ kind: "killed" }) && !isFailure({ kind: "recycled" }));
  assert.equal(lastName("kv/worker-1"), "worker-1");
});

test("a steady counter has its rate, and what stops goes to nothing", () => {
  const track = new Track();
  for (let ms = 0; ms <= 10_000; ms += 250) track.push(ms, ms / 10);
  assert.ok(Math.abs(track.perSecond(10_000) - 100) < 15, String(track.perSecond(10_000)));
  assert.equal(track.perSecond(20_000), 0);
  assert.deepEqual(track.series(10_000, 5), [100, 100, 100, 100, 100]);
  assert.equal(track.series(10_000 + KEPT_S * 1000, 5).reduce((a, b) => a + b), 0);
});

test("all that was added is found again while it is kept, at random times", () => {
  const rand = random(8);
  for (let round = 0; round < 50; round += 1) {
    const track = new Track();
    let ms = 500;
    let value = 100;
    track.push(ms, value);
    const began = value;
    while (ms < 30_000) {
      ms += Math.floor(rand() * 2500);
      value += Math.floor(rand() * 50);
      track.push(ms, value);
    }
    const sum = track.series(ms + 1000, 38).reduce((a, b) => a + b, 0);
    assert.equal(sum, value - began);
  }
});

test("a counter that begins again does not count backwards", () => {
  const tracks = new Tracks();
  tracks.push("a", 0, 500);
  tracks.push("a", 1000, 3);
  assert.equal(tracks.perSecond("a", 1000), 0);
  assert.equal(tracks.perSecond("unknown", 1000), 0);
  assert.deepEqual(tracks.series("unknown", 0, 2), [0, 0]);
});

test("quantiles are upper edges, as the stage computes them", () => {
  const histogram = { buckets: [0, 98, 0, 0, 2] };
  assert.deepEqual(quantiles(histogram), { count: 100, p50_us: 2, p99_us: 16 });
  assert.equal(quantiles({ buckets: [] }), null);
  assert.deepEqual(edges(0), [0, 1]);
  assert.deepEqual(edges(4), [8, 16]);
});

test("bars hold all that was counted, and quantiles lie in their bucket", () => {
  const rand = random(4);
  for (let round = 0; round < 200; round += 1) {
    const histogram = { buckets: Array.from({ length: 1 + Math.floor(rand() * 24) }, () => (rand() < 0.4 ? 0 : Math.floor(rand() * 900))) };
    const total = histogram.buckets.reduce((a, b) => a + b, 0);
    const all = bars(histogram);
    assert.equal(all.reduce((sum, bar) => sum + bar.count, 0), total);
    assert.ok(all.every((bar) => bar.height >= 0 && bar.height <= 1));
    if (total === 0) continue;
    assert.ok((quantile(histogram, 0.5) ?? 0) <= (quantile(histogram, 0.99) ?? 0));
    const span = /** @type {{ first: number, last: number }} */ (spanOf([histogram]));
    const places = ticks(span, 5).map(({ at }) => at);
    assert.ok(places.length <= 6 && places[0] === 0 && places.at(-1) === 1);
    assert.deepEqual(places, [...places].sort((a, b) => a - b));
  }
});
