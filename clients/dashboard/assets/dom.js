// Elements made and changed by hand. Text of the stage goes into text nodes and attributes, never into markup.

/** @typedef {Node|string|null|undefined|false} Child */
/** @typedef {Record<string, string|number|boolean|null|undefined|EventListener|((event: any) => void)>} Props */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element. Functions named `onclick` become listeners, names with two dashes become CSS variables.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Props} [props] @param {...Child} children @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag @param {Props} [props] @param {...Child} children @returns {SVGElementTagNameMap[T]}
 */
export function s(tag, props = {}, ...children) {
  return fill(/** @type {SVGElementTagNameMap[T]} */ (document.createElementNS(SVG, tag)), props, children);
}

/**
 * @template {HTMLElement|SVGElement} E
 * @param {E} element @param {Props} props @param {Child[]} children @returns {E}
 */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name.startsWith("--")) element.style.setProperty(name, String(value));
    else setAttr(element, name, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Writes only what differs. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} element @param {string} name @param {unknown} value none and false take it away */
export function setAttr(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** @param {HTMLElement|SVGElement} element @param {string} name a CSS variable @param {string|number} value */
export function setVar(element, name, value) {
  const text = String(value);
  if (element.style.getPropertyValue(name) !== text) element.style.setProperty(name, text);
}

/**
 * Children by key: those that stay keep their elements, their place in the document and the focus inside.
 * @template T
 * @template {HTMLElement|SVGElement} E
 * @param {Element} parent @param {Iterable<T>} items @param {(item: T) => string|number} keyOf
 * @param {(item: T) => E} make @param {(element: E, item: T) => void} [update]
 */
export function list(parent, items, keyOf, make, update) {
  const kept = /** @type {Map<string, E>} */ (/** @type {any} */ (parent).kept ?? new Map());
  /** @type {Map<string, T>} */
  const wanted = new Map();
  for (const item of items) wanted.set(String(keyOf(item)), item);
  for (const [key, element] of kept) if (!wanted.has(key)) element.remove();
  /** @type {Map<string, E>} */
  const next = new Map();
  let at = parent.firstChild;
  for (const [key, item] of wanted) {
    const element = kept.get(key) ?? make(item);
    next.set(key, element);
    update?.(element, item);
    if (at === element) at = at.nextSibling;
    else parent.insertBefore(element, at);
  }
  Object.assign(parent, { kept: next });
}

/** A link to an actor's page. @param {number} id @param {string} text @param {Props} [props] */
export function actorLink(id, text, props = {}) {
  return h("a", { href: `#/actor/${id}`, class: "actor-link", ...props }, text);
}

/** A box with a heading. @param {string} title @param {Props} [props] @param {...Child} children */
export function panel(title, props = {}, ...children) {
  return h("section", { ...props, class: `panel ${props.class ?? ""}`.trim() }, h("h2", {}, title), ...children);
}

/** A labelled control. @param {string} label @param {HTMLElement} control @param {Props} [props] */
export function field(label, control, props = {}) {
  return h("label", { ...props, class: `field ${props.class ?? ""}`.trim() }, h("span", {}, label), control);
}

/** @param {string} value @param {readonly [string, string][]} options @param {(value: string) => void} onChange @param {Props} [props] */
export function select(value, options, onChange, props = {}) {
  const control = h("select", { ...props, onchange: () => onChange(control.value) });
  for (const [name, text] of options) control.append(h("option", { value: name }, text));
  control.value = value;
  return control;
}

/** Offers text as a file. @param {string} name @param {string} text @param {string} type */
export function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
