// The supervision tree, live: who watches over whom, where each lives and what it does.
/** @import { App, View } from "../types.js" */
/** @import { TreeRow } from "../pure/tree.js" */
import { h, setAttr, setText, setVar } from "../dom.js";
import { isFailure, exitReason, lastName, rate } from "../pure/format.js";
import { treeRows } from "../pure/tree.js";
import { depthBar, dots, placeBadge, showDepth, showPlace, showSpark, showStatus, sparkline, statusBadge } from "../parts/badges.js";
import { VirtualRows } from "../parts/virtual-rows.js";
import { doing } from "./actors.js";

const SPARK_S = 16;
/** What has been folded outlives a change of view. @type {Set<number>} */
const closed = new Set();

/** @param {App} app @returns {View} */
export function treeView(app) {
  const { store } = app;
  /** @param {number} id @param {boolean} isOpen */
  const fold = (id, isOpen) => {
    if (isOpen) closed.delete(id);
    else closed.add(id);
    draw();
  };
  /** @param {TreeRow} item */
  const hasFold = (item) => item.children > 0;
  const heads = ["actor", "place", "status", "mailbox", "in/s", "doing", "restarts"];
  /** @type {VirtualRows<TreeRow>} */
  const rows = new VirtualRows({
    rowHeight: 30,
    label: "supervision tree",
    role: "treegrid",
    head: h("div", { role: "row", class: "tree-cols" }, ...heads.map((text) => h("div", { role: "columnheader" }, text))),
    make: () => {
      const row = h("div", { class: "tree-cols" },
        h("div", { role: "gridcell", class: "tree-name" },
          h("button", { class: "fold", type: "button", tabindex: -1, onclick: () => fold(Number(row.dataset.id), closed.has(Number(row.dataset.id))) }),
          h("a", { class: "actor-link" }), h("span", { class: "dim type" })),
        h("div", { role: "gridcell" }, placeBadge()), h("div", { role: "gridcell" }, statusBadge()), h("div", { role: "gridcell" }, depthBar()),
        h("div", { role: "gridcell", class: "rate-cell" }, sparkline("messages a second", 44, 16), h("span", { class: "num" })),
        h("div", { role: "gridcell", class: "clip" }), h("div", { role: "gridcell", class: "restarts-cell" }));
      return row;
    },
    update: (row, item) => {
      const { actor } = item;
      const [name, place, status, depth, flow, what, restarts] = /** @type {HTMLElement[]} */ ([...row.children]);
      if (!name || !place || !status || !depth || !flow || !what || !restarts) return;
      setVar(row, "--depth", item.depth);
      setAttr(row, "aria-level", item.depth + 1);
      setAttr(row, "aria-expanded", hasFold(item) ? String(item.isOpen) : null);
      setAttr(row, "data-status", actor.status);
      const [button, link, type] = name.children;
      if (button && link && type) {
        setText(button, hasFold(item) ? (item.isOpen ? "▾" : "▸") : "");
        setAttr(button, "aria-label", hasFold(item) ? `${item.isOpen ? "fold" : "unfold"} ${item.children} children` : null);
        setAttr(button, "disabled", !hasFold(item));
        setAttr(link, "href", `#/actor/${actor.id}`);
        setText(link, lastName(actor.path));
        setAttr(link, "title", actor.path);
        setText(type, item.isOpen || !hasFold(item) ? actor.actor_type : `${actor.actor_type} · ${item.children} below`);
      }
      showPlace(/** @type {Element} */ (place.firstElementChild), actor, true);
      showStatus(/** @type {Element} */ (status.firstElementChild), actor.status);
      showDepth(/** @type {HTMLElement} */ (depth.firstElementChild), actor);
      showSpark(/** @type {SVGSVGElement} */ (flow.firstElementChild), store.series(actor.id, SPARK_S));
      setText(/** @type {Element} */ (flow.lastElementChild), rate(store.rate(actor.id)));
      setText(what, doing(store, actor));
      setText(restarts, dots(actor.restarts));
      setAttr(restarts, "title", actor.restarts ? `${actor.restarts} restarts; last exit: ${exitReason(actor.last_exit)}` : null);
      setAttr(restarts, "data-tone", isFailure(actor.last_exit) ? "bad" : "calm");
    },
    onKey: (item, event) => {
      if (event.key === "ArrowRight" && hasFold(item) && !item.isOpen) fold(item.id, true);
      else if (event.key === "ArrowLeft" && hasFold(item) && item.isOpen) fold(item.id, false);
      else if (event.key === "ArrowLeft" && item.actor.parent !== null) rows.focus(rows.items.findIndex((row) => row.id === item.actor.parent));
      else return false;
      return true;
    },
  });
  const shown = h("span", { class: "dim num" });
  const draw = () => {
    const all = treeRows(store.state.actors, closed);
    setText(shown, `${all.length} of ${store.state.actors.size} shown`);
    rows.show(all);
  };
  const foldAll = () => {
    for (const { id, children } of treeRows(store.state.actors, new Set())) if (children > 0) closed.add(id);
    // But for those at the top: their parent is not among those shown.
    const { actors } = store.state;
    for (const actor of actors.values()) if (actor.parent == null || !actors.has(actor.parent)) closed.delete(actor.id);
    draw();
  };
  const bar = h("div", { class: "row bar" }, h("h1", {}, "Tree"),
    h("button", { type: "button", onclick: () => { closed.clear(); draw(); } }, "Unfold all"),
    h("button", { type: "button", onclick: foldAll }, "Fold all"), shown,
    h("span", { class: "dim hint" }, "Arrow keys move, left and right fold."));
  return { el: h("div", { class: "view full", "data-testid": "tree" }, bar, rows.el), draw, leave: () => rows.end() };
}
