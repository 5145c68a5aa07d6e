// The supervision tree as rows: parents before their children, children in the order of their ids.
/** @import { ActorView } from "../types.js" */

/**
 * @typedef {object} TreeRow
 * @property {ActorView} actor
 * @property {number} id
 * @property {number} depth
 * @property {boolean} isLast among its siblings
 * @property {number} children how many it has
 * @property {boolean} isOpen
 */

/**
 * Those whose parent is not known stand at the top. A circle of parents, which cannot be, is cut and not lost.
 * @param {ReadonlyMap<number, ActorView>} actors @param {ReadonlySet<number>} closed @returns {TreeRow[]}
 */
export function treeRows(actors, closed) {
  /** @type {Map<number|null, ActorView[]>} */
  const below = new Map();
  for (const actor of actors.values()) {
    const parent = actor.parent != null && actors.has(actor.parent) && actor.parent !== actor.id ? actor.parent : null;
    const siblings = below.get(parent);
    if (siblings) siblings.push(actor);
    else below.set(parent, [actor]);
  }
  for (const siblings of below.values()) siblings.sort((a, b) => a.id - b.id);
  /** @type {TreeRow[]} */
  const rows = [];
  const seen = new Set();
  /** @param {ActorView} actor @param {number} depth @param {boolean} isLast @param {boolean} isShown */
  const visit = (actor, depth, isLast, isShown) => {
    if (seen.has(actor.id)) return;
    seen.add(actor.id);
    const children = below.get(actor.id) ?? [];
    const isOpen = !closed.has(actor.id);
    if (isShown) rows.push({ actor, id: actor.id, depth, isLast, children: children.length, isOpen });
    children.forEach((child, i) => visit(child, depth + 1, i === children.length - 1, isShown && isOpen));
  };
  const roots = below.get(null) ?? [];
  roots.forEach((root, i) => visit(root, 0, i === roots.length - 1, true));
  for (const actor of actors.values()) visit(actor, 0, true, true);
  return rows;
}
