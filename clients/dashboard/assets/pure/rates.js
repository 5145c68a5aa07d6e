// Rates from counters that only grow: how much was added in each of the last seconds.

/** How many seconds are kept. */
export const KEPT_S = 40;
/** Over how many seconds a rate is averaged. */
const OVER_S = 3;

/** One counter's recent past, as what was added in each second. */
export class Track {
  #added = new Float32Array(KEPT_S);
  #second = -1;
  #value = 0;
  #began = 0;

  /** @param {number} at_ms @param {number} value the counter; if it shrank, it began again */
  push(at_ms, value) {
    const second = Math.floor(at_ms / 1000);
    if (this.#second < 0) {
      this.#second = second;
      this.#began = at_ms;
      this.#value = value;
      return;
    }
    this.#advance(second);
    const more = value - this.#value;
    const at = this.#second % KEPT_S;
    this.#added[at] = (this.#added[at] ?? 0) + (more > 0 ? more : 0);
    this.#value = value;
  }

  /** @param {number} second */
  #advance(second) {
    if (second <= this.#second) return;
    const steps = Math.min(second - this.#second, KEPT_S);
    for (let i = 0; i < steps; i += 1) this.#added[(second - i) % KEPT_S] = 0;
    this.#second = second;
  }

  /** @param {number} at_ms @returns {number} how much is added in a second, of late */
  perSecond(at_ms) {
    if (this.#second < 0) return 0;
    const now = Math.floor(at_ms / 1000);
    const from_ms = Math.max((now - OVER_S + 1) * 1000, this.#began);
    const over_s = (at_ms - from_ms) / 1000;
    if (over_s < 0.2) return 0;
    let sum = 0;
    for (let s = now - OVER_S + 1; s <= now; s += 1) sum += this.#of(s);
    return sum / over_s;
  }

  /** @param {number} at_ms @param {number} count @returns {number[]} what complete seconds added, oldest first */
  series(at_ms, count) {
    const now = Math.floor(at_ms / 1000);
    return Array.from({ length: count }, (_, i) => this.#of(now - count + i));
  }

  /** @param {number} second */
  #of(second) {
    const isKept = second >= 0 && second <= this.#second && second > this.#second - KEPT_S;
    return isKept ? (this.#added[second % KEPT_S] ?? 0) : 0;
  }
}

/**
 * Many counters by name.
 * @template K
 */
export class Tracks {
  /** @type {Map<K, Track>} */
  #tracks = new Map();

  /** @param {K} key @param {number} at_ms @param {number} value */
  push(key, at_ms, value) {
    let track = this.#tracks.get(key);
    if (!track) this.#tracks.set(key, (track = new Track()));
    track.push(at_ms, value);
  }

  /** @param {K} key @param {number} at_ms */
  perSecond(key, at_ms) {
    return this.#tracks.get(key)?.perSecond(at_ms) ?? 0;
  }

  /** @param {K} key @param {number} at_ms @param {number} count */
  series(key, at_ms, count) {
    return this.#tracks.get(key)?.series(at_ms, count) ?? new Array(count).fill(0);
  }

  /** @param {K} key */
  forget(key) {
    this.#tracks.delete(key);
  }

  clear() {
    this.#tracks.clear();
  }
}
