// A layered graph of actors in SVG: boxes with names, edges that can be chosen with mouse and keys.
import { list, s, setAttr, setText } from "../dom.js";
import { edgeKey, layered } from "../pure/layered.js";

const SIZES = { nodeWidth: 150, nodeHeight: 40, gapX: 120, gapY: 22 };
const EDGE = 30;

/** @typedef {{ id: string, title: string, about: string, tone: string, href: string|null }} GraphNode */
/** @typedef {{ from: string, to: string, weight: number, width: number, label: string, tone: string, about: string }} GraphEdge */

/**
 * @param {string} label @param {(edge: GraphEdge) => void} onEdge
 * @returns {{ el: SVGSVGElement, show: (nodes: GraphNode[], edges: GraphEdge[], chosen: string) => void }}
 */
export function graph(label, onEdge) {
  const edgeGroup = s("g");
  const nodeGroup = s("g");
  const heads = ["calm", "warn", "bad"].map((tone) => s("marker", { id: `head-${tone}`, class: "head", "data-tone": tone, viewBox: "0 0 8 8", refX: 7, refY: 4,
    markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, s("path", { d: "M0 0 8 4 0 8z" })));
  const el = s("svg", { class: "graph", role: "group", "aria-label": label }, s("defs", {}, ...heads), edgeGroup, nodeGroup);
  let shape = "";
  /** @type {import("../pure/layered.js").Layout} */
  let layout = { nodes: new Map(), backward: new Set(), width: 0, height: 0 };
  return {
    el,
    show: (nodes, edges, chosen) => {
      // The places change only when somebody comes or goes, not with every rate.
      const next = JSON.stringify([nodes.map((n) => n.id).sort(), edges.map(edgeKey).sort()]);
      if (next !== shape) {
        shape = next;
        layout = layered(nodes.map((n) => n.id), edges.map((edge) => ({ ...edge, weight: 1 })), SIZES);
      }
      const width = Math.max(300, layout.width + 2 * EDGE);
      const height = Math.max(120, layout.height + 2 * EDGE + (layout.backward.size ? 40 : 0));
      setAttr(el, "viewBox", `${-EDGE} ${-EDGE} ${width} ${height}`);
      setAttr(el, "width", width);
      setAttr(el, "height", height);
      list(edgeGroup, edges, edgeKey, (edge) => makeEdge(edge, onEdge), (group, edge) => showEdge(group, edge, layout, edgeKey(edge) === chosen));
      list(nodeGroup, nodes, (node) => node.id, makeNode, (group, node) => showNode(group, node, layout));
    },
  };
}

/** @param {GraphEdge} edge @param {(edge: GraphEdge) => void} onEdge */
function makeEdge(edge, onEdge) {
  const choose = () => onEdge(/** @type {any} */ (group).edge);
  const group = s("g", { class: "edge", tabindex: 0, role: "button", "data-testid": "graph-edge", "data-from": edge.from, "data-to": edge.to, onclick: choose,
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose();
    } }, s("path", { class: "edge-hit" }), s("path", { class: "edge-line" }), s("text", { class: "edge-label", "text-anchor": "middle" }), s("title"));
  return group;
}

/** @param {SVGGElement} group @param {GraphEdge} edge @param {import("../pure/layered.js").Layout} layout @param {boolean} isChosen */
function showEdge(group, edge, layout, isChosen) {
  const a = layout.nodes.get(edge.from);
  const b = layout.nodes.get(edge.to);
  const [hit, line, text, title] = group.children;
  if (!a || !b || !hit || !line || !text || !title) return;
  Object.assign(group, { edge });
  const { d, x, y } = route(a, b, layout.backward.has(edgeKey(edge)), edge.from === edge.to, layout.height);
  for (const path of [hit, line]) setAttr(path, "d", d);
  setAttr(line, "stroke-width", edge.width.toFixed(1));
  setAttr(line, "marker-end", `url(#head-${edge.tone})`);
  setAttr(group, "data-tone", edge.tone);
  setAttr(group, "aria-pressed", String(isChosen));
  setAttr(group, "aria-label", edge.about);
  setText(title, edge.about);
  setAttr(text, "x", x.toFixed(0));
  setAttr(text, "y", y.toFixed(0));
  setText(text, edge.label);
}

/**
 * @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b @param {boolean} isBack @param {boolean} isLoop @param {number} floor
 */
function route(a, b, isBack, isLoop, floor) {
  const half = SIZES.nodeWidth / 2;
  if (isLoop) {
    const y = a.y + SIZES.nodeHeight / 2;
    return { d: `M${a.x - 20} ${y}c-10 26 50 26 40 0`, x: a.x, y: y + 30 };
  }
  if (isBack) {
    const low = Math.min(floor + 20, Math.max(a.y, b.y) + SIZES.nodeHeight / 2 + 34);
    const [y1, y2] = [a.y + SIZES.nodeHeight / 2, b.y + SIZES.nodeHeight / 2];
    return { d: `M${a.x} ${y1}C${a.x} ${low + 14} ${b.x} ${low + 14} ${b.x} ${y2}`, x: (a.x + b.x) / 2, y: low + 2 };
  }
  const [x1, x2] = [a.x + half, b.x - half - 2];
  const bend = Math.max(30, (x2 - x1) / 2);
  return { d: `M${x1} ${a.y}C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2} ${b.y}`, x: (x1 + x2) / 2, y: (a.y + b.y) / 2 - 6 };
}

/** @param {GraphNode} node */
function makeNode(node) {
  const { nodeWidth: w, nodeHeight: h } = SIZES;
  const box = [s("rect", { x: -w / 2, y: -h / 2, width: w, height: h, rx: 6 }), s("text", { y: -3, "text-anchor": "middle", class: "node-title" }),
    s("text", { y: 13, "text-anchor": "middle", class: "node-about" }), s("title")];
  return node.href ? s("a", { class: "node", href: node.href, "data-node": node.id }, ...box) : s("g", { class: "node", "data-node": node.id }, ...box);
}

/** @param {SVGElement} group @param {GraphNode} node @param {import("../pure/layered.js").Layout} layout */
function showNode(group, node, layout) {
  const at = layout.nodes.get(node.id);
  const [, name, about, title] = group.children;
  if (!at || !name || !about || !title) return;
  setAttr(group, "transform", `translate(${at.x} ${at.y})`);
  setAttr(group, "data-tone", node.tone);
  setText(name, cut(node.title, 20));
  setText(about, cut(node.about, 24));
  setText(title, `${node.title}: ${node.about}`);
}

/** The beginning of a text. @param {string} text @param {number} most */
export function begin(text, most) {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1))}…`;
}

/** The end of a text: of a path, that says most. @param {string} text @param {number} most */
export function cut(text, most) {
  return text.length <= most ? text : `…${text.slice(1 - most)}`;
}
