// A JSON value as a tree that can be folded, with what has changed since the last look marked.
import { h } from "../dom.js";
import { changedPaths, isHolder, pointer } from "../pure/json-diff.js";

const DEPTH_OPEN = 2;
const ITEMS_MAX = 200;

/** @returns {{ el: HTMLElement, show: (value: unknown) => void }} */
export function jsonView() {
  const el = h("div", { class: "json", "data-testid": "actor-state" });
  /** @type {unknown} */
  let shown;
  let isFirst = true;
  /** Which folds a person has changed. @type {Map<string, boolean>} */
  const folds = new Map();
  return {
    el,
    show(value) {
      const changed = isFirst ? new Set() : changedPaths(shown, value);
      if (!isFirst && changed.size === 0 && !el.querySelector(".changed")) return;
      isFirst = false;
      shown = value;
      el.replaceChildren(node(null, value, "", 0, changed, folds));
    },
  };
}

/**
 * @param {string|null} name @param {unknown} value @param {string} path @param {number} depth
 * @param {Set<unknown>} changed @param {Map<string, boolean>} folds @returns {HTMLElement}
 */
function node(name, value, path, depth, changed, folds) {
  const mark = changed.has(path) ? " changed" : "";
  const label = name === null ? null : h("span", { class: "json-key" }, `${name}: `);
  const sign = mark && h("span", { class: "json-sign", title: "changed since the last look" }, " ◂ changed");
  if (!isHolder(value)) {
    const kind = value === null ? "null" : typeof value;
    return h("div", { class: `json-leaf${mark}` }, label, h("span", { class: `json-${kind}` }, JSON.stringify(value) ?? "–"), sign);
  }
  const entries = Object.entries(value);
  const isArray = Array.isArray(value);
  const size = isArray ? `[${entries.length}]` : `{${entries.length}}`;
  const details = h("details", { class: `json-node${mark}`, open: folds.get(path) ?? depth < DEPTH_OPEN, ontoggle: () => {
    if (details.open !== (folds.get(path) ?? depth < DEPTH_OPEN)) folds.set(path, details.open);
  } }, h("summary", {}, label, h("span", { class: "dim" }, size), sign));
  for (const [key, item] of entries.slice(0, ITEMS_MAX)) {
    details.append(node(key, item, pointer(path, key), depth + 1, changed, folds));
  }
  if (entries.length > ITEMS_MAX) details.append(h("div", { class: "dim" }, `and ${entries.length - ITEMS_MAX} more`));
  return details;
}
