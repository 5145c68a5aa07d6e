// Other members for registers: chosen one by one with a kind of quorums, or one in the place of another.
/** @import { App, RegisterNode, Registers, RegisterWish } from "../types.js" */
import { field, h, list, select, setAttr, setText } from "../dom.js";
import { nameOf, newestOf, NODE_STATES, quorumsText, wishOf } from "../pure/registers.js";

/** @type {[string, string][]} */
const KINDS = [["majority", "majority"], ["thresholds", "thresholds"], ["grid", "grid"]];

/**
 * @param {App} app @param {{ why: () => string, done: () => void }} around why nobody may, and what follows
 * @returns {{ el: HTMLElement, draw: (seen: Registers) => void }}
 */
export function registerChange(app, around) {
  /** Who is chosen, once somebody has chosen. @type {Set<string>|null} */
  let chosen = null;
  let kind = "majority";
  let [old, next] = ["", ""];
  /** @type {Registers|null} */
  let seen = null;
  const now = h("p", { class: "dim", "data-testid": "registers-now" });
  const members = h("div", { class: "members", role: "group", "aria-label": "members of the next configuration" });
  const one = h("input", { type: "number", min: 1, max: 64, value: 2, "data-testid": "quorum-one", oninput: () => redraw() });
  const other = h("input", { type: "number", min: 1, max: 64, value: 2, "data-testid": "quorum-other", oninput: () => redraw() });
  const [first, second] = [field("read", one), field("write", other)];
  const why = h("p", { class: "dim why-not", role: "status", "data-testid": "reconfigure-why" });

  /** @param {HTMLButtonElement} button @param {RegisterWish} wish */
  const ask = async (button, wish) => {
    setAttr(button, "aria-busy", "true");
    try {
      const { changes } = await app.api.reconfigure(wish);
      chosen = null;
      app.toast(changes.map(({ shard, text }) => (changes.length > 1 ? `shard ${shard}: ${text}` : text)).join("; "));
    } catch (error) {
      const { message, hint } = /** @type {import("../api.js").ApiError} */ (error);
      app.toast(message, "bad", hint);
    }
    setAttr(button, "aria-busy", null);
    around.done();
  };
  const install = h("button", { type: "button", class: "primary", "data-testid": "reconfigure", onclick: () => {
    const meant = meaning();
    if ("wish" in meant) ask(install, meant.wish);
  } }, "Reconfigure");
  const replace = h("button", { type: "button", "data-testid": "replace", onclick: () => ask(replace, { replace: [{ old, new: next }] }) }, "Replace");
  const [olds, news] = [h("span", {}), h("span", {})];

  const meaning = () => wishOf([...(chosen ?? current())], kind, one.valueAsNumber, other.valueAsNumber);
  /** Names of the members of now. */
  const current = () => {
    const newest = seen && newestOf(seen, 0);
    return new Set(newest ? newest.members.map(({ node }) => nameOf(seen?.nodes ?? [], node)) : []);
  };
  /** @param {RegisterNode} node */
  const toggle = (node) => {
    chosen ??= current();
    if (!chosen.delete(node.name)) chosen.add(node.name);
    redraw();
  };

  function redraw() {
    if (seen) draw(seen);
  }
  /** @param {Registers} answer */
  function draw(answer) {
    seen = answer;
    const newest = newestOf(seen, 0);
    const { nodes } = seen;
    setText(now, newest ? `Now c${newest.index}: ${newest.members.map(({ node }) => nameOf(nodes, node)).join(", ")} (${quorumsText(newest)})` : "No node knows a configuration yet.");
    const wanted = chosen ?? current();
    list(members, nodes.filter((node) => node.state !== "ended" || wanted.has(node.name)), (node) => node.node, (node) => h("label", { class: "member" },
      h("input", { type: "checkbox", "data-testid": `member-${node.name}`, onchange: () => toggle(node) }), h("span", {})), (label, node) => {
      const [box, text] = /** @type {[HTMLInputElement, HTMLElement]} */ (/** @type {unknown} */ ([...label.children]));
      box.checked = wanted.has(node.name);
      const { shape, word, tone } = NODE_STATES[node.state];
      setText(text, `${node.name} ${shape}`);
      setAttr(text, "data-tone", tone);
      setAttr(text, "title", word);
    });
    for (const [label, text] of /** @type {const} */ ([[first, kind === "grid" ? "rows" : "read"], [second, kind === "grid" ? "columns" : "write"]])) {
      label.hidden = kind === "majority";
      setText(/** @type {Element} */ (label.firstElementChild), text);
    }
    const meant = meaning();
    const reason = around.why() || ("why" in meant ? meant.why : "");
    setText(why, reason || (chosen ? "Members change in one step, and operations go on meanwhile." : "Choose who shall keep the registers."));
    setAttr(why, "data-tone", "why" in meant ? "warn" : null);
    setAttr(install, "disabled", reason !== "");
    const names = [...current()].sort();
    const free = nodes.filter((node) => !current().has(node.name) && (node.state === "running" || node.state === "connected")).map((node) => node.name);
    if (!names.includes(old)) old = names[0] ?? "";
    if (!free.includes(next)) next = free[0] ?? "";
    choice(olds, "replace", names, old, (name) => {
      old = name;
    }, "replace-old");
    choice(news, "by", free, next, (name) => {
      next = name;
    }, "replace-new");
    setAttr(replace, "disabled", around.why() !== "" || !old || !next);
    setAttr(replace, "title", around.why() || (next ? `${next} takes the place of ${old}` : "Every node is a member: add one first."));
  }
  return {
    el: h("div", { class: "register-change" }, now, members,
      h("div", { class: "row" }, field("quorums", select(kind, KINDS, (name) => {
        kind = name;
        redraw();
      }, { "data-testid": "quorum-kind" })), first, second, install), why, h("div", { class: "row" }, olds, news, replace)),
    draw,
  };
}

/** @param {HTMLElement} holder @param {string} label @param {readonly string[]} names @param {string} value @param {(name: string) => void} use @param {string} testid */
function choice(holder, label, names, value, use, testid) {
  list(holder, [names], (all) => all.join(" "), (all) => field(label, select(value, all.map((name) => /** @type {[string, string]} */ ([name, name])), use, { "data-testid": testid })));
}
