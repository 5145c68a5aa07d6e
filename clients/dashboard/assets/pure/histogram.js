// A distribution in powers of two, as bars on an axis.
/** @import { Histogram, Quantiles } from "../types.js" */
import { duration } from "./format.js";

/**
 * @typedef {object} Bar
 * @property {number} index the bucket: below 2^index µs
 * @property {number} count
 * @property {number} height from 0 to 1
 * @property {string} label as `16 µs – 32 µs`
 */

/** The edges of a bucket in µs. @param {number} index @returns {[number, number]} */
export function edges(index) {
  return [index === 0 ? 0 : 2 ** (index - 1), 2 ** index];
}

/**
 * One bar for each bucket between the first and the last that is not empty, or between given ones, so that two
 * histograms can stand on the same axis.
 * @param {Histogram} histogram @param {{ first: number, last: number }|null} [span] @returns {Bar[]}
 */
export function bars(histogram, span = spanOf([histogram])) {
  if (!span) return [];
  const most = Math.max(1, ...histogram.buckets);
  const result = [];
  for (let index = span.first; index <= span.last; index += 1) {
    const count = histogram.buckets[index] ?? 0;
    const [from, to] = edges(index);
    result.push({ index, count, height: count / most, label: `${duration(from)} – ${duration(to)}` });
  }
  return result;
}

/** The buckets that some histogram uses. @param {readonly Histogram[]} histograms */
export function spanOf(histograms) {
  let first = Infinity;
  let last = -1;
  for (const { buckets } of histograms) {
    buckets.forEach((count, index) => {
      if (count <= 0) return;
      first = Math.min(first, index);
      last = Math.max(last, index);
    });
  }
  return last < 0 ? null : { first, last };
}

/**
 * Edges for an axis: at most `limit`, evenly spread, always the first and the last.
 * @param {{ first: number, last: number }} span @param {number} limit
 */
export function ticks(span, limit) {
  const buckets = span.last - span.first + 1;
  const step = Math.max(1, Math.ceil(buckets / Math.max(1, limit - 1)));
  const result = [];
  for (let at = 0; at < buckets; at += step) result.push(at);
  if (buckets - (result.at(-1) ?? 0) < step && result.length > 1) result.pop();
  result.push(buckets);
  return result.map((at) => ({ at: at / buckets, label: duration(edges(span.first + at)[0]) }));
}

/** The upper edge of the bucket in which this share has come together. @param {Histogram} histogram @param {number} share */
export function quantile(histogram, share) {
  const total = histogram.buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const wanted = Math.ceil(total * share);
  let seen = 0;
  const index = histogram.buckets.findIndex((count) => (seen += count) >= wanted);
  return 2 ** Math.max(0, index);
}

/** @param {Histogram} histogram @returns {Quantiles|null} */
export function quantiles(histogram) {
  const count = histogram.buckets.reduce((sum, n) => sum + n, 0);
  const p50_us = quantile(histogram, 0.5);
  const p99_us = quantile(histogram, 0.99);
  return p50_us === null || p99_us === null ? null : { count, p50_us, p99_us };
}
