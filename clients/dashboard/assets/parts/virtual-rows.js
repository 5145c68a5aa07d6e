// Many rows of the same height, of which only those in sight are in the document. Rows keep their elements by id.
import { h, setAttr } from "../dom.js";

const SPARE = 6;

/**
 * @template {{ id: number }} T
 */
export class VirtualRows {
  /** @type {readonly T[]} */
  items = [];
  /** The row that the arrow keys have chosen. @type {number|null} */
  activeId = null;
  /** @type {Map<number, HTMLElement>} */
  #rows = new Map();
  /** @type {Map<number, T>} */
  #drawn = new Map();
  #body = h("div", { role: "rowgroup", class: "vrows-body" });
  #isPlanned = false;

  /**
   * @param {object} options
   * @param {number} options.rowHeight
   * @param {string} options.label
   * @param {"table"|"treegrid"} options.role
   * @param {HTMLElement} options.head a row with column headers
   * @param {() => HTMLElement} options.make
   * @param {(row: HTMLElement, item: T) => void} options.update
   * @param {(item: T, event: KeyboardEvent) => boolean} [options.onKey] whether the key was used
   */
  constructor(options) {
    this.options = options;
    const scrolls = () => this.#plan();
    this.el = h("div", { class: "vrows", role: options.role, "aria-label": options.label, tabindex: 0, onscroll: scrolls },
      h("div", { role: "rowgroup", class: "vrows-head" }, options.head), this.#body);
    this.el.addEventListener("keydown", (event) => this.#key(event));
    this.observer = new ResizeObserver(() => this.#plan());
    this.observer.observe(this.el);
  }

  /** @param {readonly T[]} items */
  show(items) {
    this.items = items;
    this.draw();
  }

  draw() {
    const { rowHeight, make, update } = this.options;
    const headHeight = 30;
    const first = Math.max(0, Math.floor((this.el.scrollTop - headHeight) / rowHeight) - SPARE);
    const last = Math.min(this.items.length, Math.ceil((this.el.scrollTop + this.el.clientHeight) / rowHeight) + SPARE);
    this.#body.style.height = `${this.items.length * rowHeight}px`;
    setAttr(this.el, "aria-rowcount", this.items.length + 1);
    /** @type {Map<number, number>} */
    const wanted = new Map();
    for (let at = first; at < last; at += 1) wanted.set(/** @type {T} */ (this.items[at]).id, at);
    const focused = this.#focusedId();
    if (focused !== null && !wanted.has(focused)) {
      const at = this.items.findIndex((item) => item.id === focused);
      if (at >= 0) wanted.set(focused, at);
    }
    /** @type {HTMLElement[]} */
    const free = [];
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      this.#rows.delete(id);
      this.#drawn.delete(id);
      free.push(row);
    }
    for (const [id, at] of wanted) {
      const item = /** @type {T} */ (this.items[at]);
      let row = this.#rows.get(id);
      if (!row) {
        row = free.pop() ?? this.#append(make());
        row.dataset.id = String(id);
        this.#rows.set(id, row);
      }
      const shift = `translateY(${at * rowHeight}px)`;
      if (row.style.transform !== shift) row.style.transform = shift;
      setAttr(row, "aria-rowindex", at + 2);
      setAttr(row, "aria-current", id === this.activeId ? "true" : null);
      update(row, item);
      this.#drawn.set(id, item);
    }
    for (const row of free) row.remove();
  }

  end() {
    this.observer.disconnect();
  }

  /** @param {HTMLElement} row */
  #append(row) {
    row.classList.add("vrow");
    setAttr(row, "role", "row");
    this.#body.append(row);
    return row;
  }

  #plan() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    requestAnimationFrame(() => {
      this.#isPlanned = false;
      this.draw();
    });
  }

  #focusedId() {
    const row = document.activeElement?.closest(".vrow");
    return row instanceof HTMLElement && this.#body.contains(row) ? Number(row.dataset.id) : null;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target instanceof HTMLInputElement || event.altKey || event.ctrlKey || event.metaKey) return;
    const focused = this.#focusedId() ?? this.activeId;
    const at = this.items.findIndex((item) => item.id === focused);
    const page = Math.max(1, Math.floor(this.el.clientHeight / this.options.rowHeight) - 2);
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.items.length - 1 };
    const to = moves[event.key];
    const item = this.items[at];
    if (to === undefined) {
      if (item && this.options.onKey?.(item, event)) event.preventDefault();
      return;
    }
    event.preventDefault();
    this.focus(Math.min(this.items.length - 1, Math.max(0, to)));
  }

  /** @param {number} at */
  focus(at) {
    const item = this.items[at];
    if (!item) return;
    const { rowHeight } = this.options;
    const top = at * rowHeight;
    this.activeId = item.id;
    if (top < this.el.scrollTop) this.el.scrollTop = top;
    else if (top + rowHeight * 3 > this.el.scrollTop + this.el.clientHeight) this.el.scrollTop = top + rowHeight * 3 - this.el.clientHeight;
    this.draw();
    this.#rows.get(item.id)?.querySelector("a")?.focus({ preventScroll: true });
  }
}
