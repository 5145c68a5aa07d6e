// Which actors are shown, and in which order.
/** @import { ActorView, Status, Place } from "../types.js" */

/** @typedef {{ text: string, status: Status|"", place: Place|"" }} Filter */

/** @param {ActorView} actor @param {Filter} filter */
export function matches(actor, filter) {
  if (filter.status && actor.status !== filter.status) return false;
  if (filter.place && actor.place !== filter.place) return false;
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [
    actor.path, actor.actor_type, `#${actor.id}`, actor.message ?? "", actor.note ?? "", actor.thread ?? "",
    actor.process?.pid ?? "",
  ].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * The order is total: equal values are in the order of their ids, so that rows do not change places without a reason.
 * What is unknown comes last in both directions.
 * @template {{ id: number }} T
 * @param {readonly T[]} items @param {(item: T) => string|number|null|undefined} value @param {"up"|"down"} direction
 * @returns {T[]}
 */
export function sorted(items, value, direction) {
  const sign = direction === "up" ? 1 : -1;
  const keyed = items.map((item) => ({ item, value: value(item) ?? null }));
  keyed.sort((a, b) => {
    if (a.value !== b.value) {
      if (a.value === null) return 1;
      if (b.value === null) return -1;
      const order = typeof a.value === "string" ? (a.value < String(b.value) ? -1 : 1) : a.value - Number(b.value);
      if (order !== 0) return sign * order;
    }
    return a.item.id - b.item.id;
  });
  return keyed.map(({ item }) => item);
}

/**
 * The few with the largest values above zero, largest first.
 * @template {{ id: number }} T
 * @param {Iterable<T>} items @param {(item: T) => number|null|undefined} value @param {number} limit
 * @returns {{ item: T, value: number }[]}
 */
export function top(items, value, limit) {
  /** @type {{ item: T, value: number }[]} */
  const best = [];
  for (const item of items) {
    const v = value(item) ?? 0;
    if (v <= 0) continue;
    const last = best[best.length - 1];
    if (best.length === limit && last && v <= last.value) continue;
    let at = best.length;
    while (at > 0 && /** @type {{value: number}} */ (best[at - 1]).value < v) at -= 1;
    best.splice(at, 0, { item, value: v });
    if (best.length > limit) best.pop();
  }
  return best;
}
