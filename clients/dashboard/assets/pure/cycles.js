// Circles in the graph of who waits for whom: strongly connected components by Tarjan's algorithm.

/**
 * Each circle once, beginning with its smallest id, along its edges where they make one round.
 * @param {readonly { from: number, to: number }[]} edges @returns {number[][]}
 */
export function waitCycles(edges) {
  /** @type {Map<number, Set<number>>} */
  const next = new Map();
  for (const { from, to } of edges) {
    if (!next.has(from)) next.set(from, new Set());
    if (!next.has(to)) next.set(to, new Set());
    next.get(from)?.add(to);
  }
  return components(next)
    .filter((group) => group.length > 1 || next.get(/** @type {number} */ (group[0]))?.has(/** @type {number} */ (group[0])))
    .map((group) => walk(group, next))
    .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
}

/** @param {Map<number, Set<number>>} next @returns {number[][]} */
export function components(next) {
  const index = new Map();
  const low = new Map();
  const held = new Set();
  /** @type {number[]} */
  const stack = [];
  /** @type {number[][]} */
  const groups = [];
  /** @param {number} node */
  const open = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    held.add(node);
    return { node, rest: [...(next.get(node) ?? [])] };
  };
  for (const root of next.keys()) {
    if (index.has(root)) continue;
    const work = [open(root)];
    for (let top = work.at(-1); top; top = work.at(-1)) {
      const to = top.rest.pop();
      if (to === undefined) {
        work.pop();
        const above = work.at(-1);
        if (above) low.set(above.node, Math.min(low.get(above.node), low.get(top.node)));
        if (low.get(top.node) === index.get(top.node)) {
          const group = stack.splice(stack.indexOf(top.node));
          for (const node of group) held.delete(node);
          groups.push(group);
        }
      } else if (!index.has(to)) {
        work.push(open(to));
      } else if (held.has(to)) {
        low.set(top.node, Math.min(low.get(top.node), index.get(to)));
      }
    }
  }
  return groups;
}

/** @param {number[]} group @param {Map<number, Set<number>>} next */
function walk(group, next) {
  const inside = new Set(group);
  const order = [Math.min(...group)];
  inside.delete(/** @type {number} */ (order[0]));
  while (inside.size) {
    const to = [...(next.get(/** @type {number} */ (order.at(-1))) ?? [])].filter((id) => inside.has(id)).sort((a, b) => a - b)[0];
    const chosen = to ?? Math.min(...inside);
    order.push(chosen);
    inside.delete(chosen);
  }
  return order;
}

/** @param {readonly number[]} cycle @param {{ from: number, to: number }} edge whether the edge is part of the circle */
export function isOnCycle(cycle, edge) {
  return cycle.includes(edge.from) && cycle.includes(edge.to);
}
