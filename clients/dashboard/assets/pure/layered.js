// A layered drawing of a directed graph, after Sugiyama: cut circles, layer, order, place. The same graph always looks the same.

/** @typedef {{ from: string, to: string, weight: number }} LayoutEdge */
/**
 * @typedef {object} Layout
 * @property {Map<string, { x: number, y: number, layer: number }>} nodes the middle of each
 * @property {Set<string>} backward edges that run against the layers, as `from→to`
 * @property {number} width
 * @property {number} height
 */

/** @param {{ from: string, to: string }} edge */
export function edgeKey(edge) {
  return `${edge.from}→${edge.to}`;
}

/**
 * @param {readonly string[]} ids @param {readonly LayoutEdge[]} edges
 * @param {{ nodeWidth: number, nodeHeight: number, gapX: number, gapY: number }} sizes @returns {Layout}
 */
export function layered(ids, edges, sizes) {
  const order = [...new Set(ids)].sort(byName);
  const known = new Set(order);
  const proper = edges
    .filter((edge) => edge.from !== edge.to && known.has(edge.from) && known.has(edge.to))
    .sort((a, b) => b.weight - a.weight || byName(edgeKey(a), edgeKey(b)));
  const { forward, backward } = cutCircles(order, proper);
  const layers = orderLayers(layerOf(order, forward), proper);
  const tallest = Math.max(0, ...layers.map((layer) => layer.length));
  const stepX = sizes.nodeWidth + sizes.gapX;
  const stepY = sizes.nodeHeight + sizes.gapY;
  const nodes = new Map();
  layers.forEach((layer, x) => {
    const top = ((tallest - layer.length) * stepY) / 2;
    layer.forEach((id, y) => {
      nodes.set(id, { x: x * stepX + sizes.nodeWidth / 2, y: top + y * stepY + sizes.nodeHeight / 2, layer: x });
    });
  });
  return { nodes, backward, width: layers.length * stepX - sizes.gapX, height: tallest * stepY - sizes.gapY };
}

/**
 * Heavy edges first, an edge that would close a circle is drawn backward.
 * @param {string[]} ids @param {LayoutEdge[]} edges
 */
function cutCircles(ids, edges) {
  /** @type {Map<string, string[]>} */
  const next = new Map(ids.map((id) => [id, []]));
  /** @param {string} from @param {string} to */
  const reaches = (from, to) => {
    const seen = new Set([from]);
    const work = [from];
    for (let at = work.pop(); at !== undefined; at = work.pop()) {
      if (at === to) return true;
      for (const id of next.get(at) ?? []) {
        if (!seen.has(id)) {
          seen.add(id);
          work.push(id);
        }
      }
    }
    return false;
  };
  /** @type {LayoutEdge[]} */
  const forward = [];
  /** @type {Set<string>} */
  const backward = new Set();
  for (const edge of edges) {
    if (reaches(edge.to, edge.from)) {
      backward.add(edgeKey(edge));
    } else {
      next.get(edge.from)?.push(edge.to);
      forward.push(edge);
    }
  }
  return { forward, backward };
}

/** The longest way from the left. @param {string[]} ids @param {LayoutEdge[]} forward @returns {string[][]} */
function layerOf(ids, forward) {
  /** @type {Map<string, string[]>} */
  const before = new Map(ids.map((id) => [id, []]));
  for (const edge of forward) before.get(edge.to)?.push(edge.from);
  /** @type {Map<string, number>} */
  const layer = new Map();
  /** @param {string} id @returns {number} */
  const find = (id) => {
    const known = layer.get(id);
    if (known !== undefined) return known;
    const found = Math.max(-1, ...(before.get(id) ?? []).map(find)) + 1;
    layer.set(id, found);
    return found;
  };
  /** @type {string[][]} */
  const layers = [];
  for (const id of ids) (layers[find(id)] ??= []).push(id);
  return layers;
}

/**
 * Each node goes to the mean place of its neighbours, a few times to and fro.
 * @param {string[][]} layers @param {readonly LayoutEdge[]} edges
 */
function orderLayers(layers, edges) {
  /** @type {Map<string, string[]>} */
  const beside = new Map();
  for (const { from, to } of edges) {
    beside.set(from, [...(beside.get(from) ?? []), to]);
    beside.set(to, [...(beside.get(to) ?? []), from]);
  }
  /** @type {Map<string, number>} */
  const place = new Map();
  const note = (/** @type {string[]} */ layer) => layer.forEach((id, i) => place.set(id, (i + 0.5) / layer.length));
  layers.forEach(note);
  for (let round = 0; round < 6; round += 1) {
    const way = round % 2 === 0 ? layers : [...layers].reverse();
    for (const layer of way) {
      const mean = new Map(layer.map((id) => {
        const around = beside.get(id) ?? [];
        const sum = around.reduce((total, other) => total + (place.get(other) ?? 0.5), 0);
        return [id, around.length ? sum / around.length : (place.get(id) ?? 0.5)];
      }));
      layer.sort((a, b) => (mean.get(a) ?? 0) - (mean.get(b) ?? 0) || byName(a, b));
      note(layer);
    }
  }
  return layers;
}

/** @param {string} a @param {string} b */
function byName(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
