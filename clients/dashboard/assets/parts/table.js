// A plain table with rows by key, for lists that are never long.
import { h, list, setAttr, setText } from "../dom.js";

/**
 * @template T
 * @typedef {object} Column
 * @property {string} title
 * @property {string} [about]
 * @property {string} [class]
 * @property {(item: T) => string} [text]
 * @property {() => HTMLElement|SVGElement} [make] what is in the cell, if not only text
 * @property {(content: any, item: T, cell: HTMLElement) => void} [update]
 * @property {(item: T) => string|null} [testid]
 */

/**
 * @template T
 * @param {string} label @param {Column<T>[]} columns @param {string} empty what is said when there is nothing
 * @returns {{ el: HTMLElement, show: (items: readonly T[], keyOf: (item: T) => string|number) => void }}
 */
export function table(label, columns, empty) {
  const body = h("tbody");
  const none = h("p", { class: "empty" }, empty);
  const head = h("tr", {}, ...columns.map((c) => h("th", { scope: "col", class: c.class, title: c.about }, c.title)));
  const grid = h("table", { "aria-label": label }, h("thead", {}, head), body);
  /** @param {HTMLTableRowElement} row @param {T} item */
  const update = (row, item) => columns.forEach((column, i) => {
    const cell = /** @type {HTMLElement} */ (row.children[i]);
    if (column.text) setText(cell, column.text(item));
    column.update?.(cell.firstElementChild, item, cell);
    if (column.testid) setAttr(cell, "data-testid", column.testid(item));
  });
  return {
    el: h("div", { class: "table-holder" }, grid, none),
    show: (items, keyOf) => {
      list(body, items, keyOf, () => h("tr", {}, ...columns.map((c) => h("td", { class: c.class }, c.make?.()))), update);
      grid.hidden = items.length === 0;
      none.hidden = items.length > 0;
    },
  };
}

/** A cell that links to an actor. @template T @param {(item: T) => number|null} idOf @param {(item: T) => string} textOf */
export function linkCell(idOf, textOf) {
  return {
    make: () => h("a", { class: "actor-link" }),
    update: (/** @type {HTMLElement} */ link, /** @type {T} */ item) => {
      const id = idOf(item);
      setAttr(link, "href", id === null ? null : `#/actor/${id}`);
      setText(link, textOf(item));
      setAttr(link, "title", textOf(item));
    },
  };
}
