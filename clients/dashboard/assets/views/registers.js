// Registers: who keeps them, what each node knows of the configurations and holds, and what can be done to nodes.
/** @import { App, RegisterKeys, RegisterNode, Registers, TimelineEntry, View } from "../types.js" */
import { field, h, list, panel, select, setAttr, setText } from "../dom.js";
import { poll } from "../api.js";
import { count, duration, NONE, timeOfDay } from "../pure/format.js";
import { cutFrom, holdingOf, holdingText, links, mapCells, mapRange, NODE_STATES, quorumsText, seats, shardsOf, stageOf, timelineOf, tookText } from "../pure/registers.js";
import { registerChange } from "../parts/register-change.js";
import { registerTry } from "../parts/register-try.js";
import { table } from "../parts/table.js";
import { confirmed } from "../parts/toasts.js";

const EVERY_MS = 1000;
const KEYS_SHOWN = 50;
const NODES_SHOWN = 100;
const READ_ONLY = "This page may only look: open it with the address that has the token.";

/** @param {App} app @param {string} wanted the key that the address names, if it names one @returns {View} */
export function registersView(app, wanted) {
  const { store } = app;
  /** @type {Registers|null} */
  let seen = null;
  /** @type {RegisterKeys|null} */
  let held = null;
  let shard = 0;
  /** The key whose tags are shown, or the place of a page of keys. */
  let key = wanted;
  let [from, page] = [0, 1];
  const why = () => (store.state.stage?.can_act === true ? "" : READ_ONLY);
  const when = (/** @type {number|null} */ ms) => (ms === null ? NONE : timeOfDay(ms, store.now(), Date.now()));

  /** @param {Element} button @param {() => Promise<unknown>} order @param {string} said */
  const act = async (button, order, said) => {
    setAttr(button, "aria-busy", "true");
    try {
      await order();
      app.toast(said);
    } catch (error) {
      const { message, hint } = /** @type {import("../api.js").ApiError} */ (error);
      app.toast(`${said}: ${message}`, "bad", hint);
    }
    setAttr(button, "aria-busy", null);
    nodesPoll.now();
  };
  /** @param {HTMLButtonElement} button @param {string} about @param {string} [not] why it makes no sense now */
  const offer = (button, about, not = "") => {
    setAttr(button, "disabled", why() !== "" || not !== "");
    setAttr(button, "title", why() || not || about);
  };
  const own = (/** @type {RegisterNode} */ node) => node.shards.find((of) => of.shard === shard);

  const nodes = table("nodes that keep registers", /** @type {import("../parts/table.js").Column<RegisterNode>[]} */ ([
    { title: "node", make: () => h("a", { class: "actor-link node-name" }), update: (link, node) => {
      const replica = node.replicas[shard] ?? node.replicas[0];
      setAttr(link, "href", replica ? `#/actor/${replica.actor}` : null);
      setAttr(link, "title", replica ? replica.path : `number ${node.node}`);
      setText(link, node.name);
    } },
    { title: "state", update: (_, node, cell) => {
      const { shape, word, tone, about } = NODE_STATES[node.state];
      setText(cell, `${shape} ${word}`);
      setAttr(cell, "data-tone", tone);
      setAttr(cell, "title", about);
    }, testid: (node) => `node-state-${node.name}` },
    { title: "configuration map", about: "± removed, c3 active, ⊥ not known", make: () => h("span", { class: "cmap" }), update: (map, node) => {
      const { lowest, highest } = mapRange(/** @type {Registers} */ (seen), shard);
      const isOld = node.state !== "running" && node.state !== "starting";
      setAttr(map, "data-old", isOld ? "yes" : null);
      list(map, mapCells(own(node), lowest, highest), (cell) => cell.key, () => h("span", { class: "cell num" }), (shown, cell) => {
        setText(shown, cell.sign);
        setAttr(shown, "data-kind", cell.kind);
        setAttr(shown, "title", cell.about);
      });
    }, testid: (node) => `map-${node.name}` },
    { title: "remark", class: "prose", update: (_, node, cell) => {
      const of = own(node);
      const cuts = seen && node.state !== "ended" ? cutFrom(seen, node.node) : [];
      const lags = of?.lags === true && node.state !== "ended";
      const parts = [lags ? "▲ lags behind" : "", of?.driving ? `◐ drives a reconfiguration: ${of.driving}` : "", cuts.length ? `▲ cut off from ${cuts.join(", ")}` : "",
        of && of.base === null ? "has not joined" : "", node.told_ms !== null && node.state !== "running" && node.state !== "starting" && seen ? `last told ${duration(Math.max(1, Math.round((seen.at_ms - node.told_ms) / 1000)) * 1e6).replace(/\.\d+/, "")} ago` : ""];
      setText(cell, parts.filter(Boolean).join("; "));
      setAttr(cell, "data-tone", lags || cuts.length ? "warn" : null);
    }, testid: (node) => `node-remark-${node.name}` },
    { title: "life", class: "num", about: "1 for the first, one more after each restart", text: (node) => String(own(node)?.boot ?? NONE) },
    { title: "keys", class: "num", text: (node) => count(own(node)?.registers ?? null) },
    { title: "operations", class: "num", about: "under way", text: (node) => count(own(node)?.operations ?? null) },
    { title: "Redis", class: "num", text: (node) => node.resp ?? NONE },
    { title: "HTTP", class: "num", text: (node) => node.http ?? NONE },
    { title: "act", make: () => h("div", { class: "row acts" }, h("button", { type: "button" }), h("button", { type: "button", class: "danger" }, "Kill")), update: (bar, node) => {
      const [rest, kill] = /** @type {[HTMLButtonElement, HTMLButtonElement]} */ (/** @type {unknown} */ ([...bar.children]));
      bar.hidden = seen?.hosts !== true;
      const verb = node.state === "suspended" ? "resume" : "suspend";
      const over = node.state === "ended" ? "It has ended." : "";
      setText(rest, verb === "suspend" ? "❚❚ Pause" : "▶ Resume");
      setAttr(rest, "data-testid", `node-${verb}-${node.name}`);
      setAttr(rest, "aria-label", `${verb} ${node.name}`);
      offer(rest, verb === "suspend" ? "It answers nobody until it is resumed" : "It goes on, and answers what has waited", over);
      rest.onclick = () => act(rest, () => app.api.actOnNode(node.name, verb), `${verb} ${node.name}`);
      setAttr(kill, "data-testid", `node-kill-${node.name}`);
      setAttr(kill, "aria-label", `kill ${node.name}`);
      offer(kill, "Its replicas end at once", over);
      kill.onclick = async () => {
        if (await confirmed(`Kill ${node.name}?`, "Its replicas end at once. A node that keeps everything in memory does not come back; as long as a quorum lives, nothing is lost.", "Kill")) act(kill, () => app.api.actOnNode(node.name, "kill"), `kill ${node.name}`);
      };
    } },
  ]), "No node is known.");
  nodes.el.classList.add("register-nodes");

  const timeline = table("configurations", /** @type {import("../parts/table.js").Column<TimelineEntry>[]} */ ([
    { title: "configuration", class: "num", text: (entry) => `c${entry.configuration.index}`, testid: (entry) => `configuration-${entry.configuration.index}` },
    { title: "state", update: (_, entry, cell) => {
      const { shape, word, tone } = stageOf(entry);
      setText(cell, `${shape} ${word}`);
      setAttr(cell, "data-tone", tone);
    } },
    { title: "members", make: () => h("span", { class: "chips tight" }), update: (chips, entry) => {
      list(chips, seen ? seats(seen, shard, entry) : [], ({ node }) => node, () => h("span", { class: "chip" }), (chip, { name, weight }) => {
        setText(chip, `${name}${weight > 1 ? ` ×${weight}` : ""}`);
        setAttr(chip, "data-member", String(weight > 0));
        setAttr(chip, "title", `${name} is ${weight > 0 ? "a" : "no"} member of c${entry.configuration.index}`);
      });
    } },
    { title: "quorums", class: "prose", text: (entry) => quorumsText(entry.configuration) },
    { title: "decided", class: "num when", about: "seen to be known by a node", text: (entry) => `${entry.was_there ? "before " : ""}${when(entry.decided_ms)}` },
    { title: "installed", class: "num when", about: "seen to hold all, with none before it active", text: (entry) => when(entry.installed_ms) },
    { title: "removed", class: "num when", text: (entry) => when(entry.removed_ms) },
    { title: "was active for", class: "num", text: (entry) => duration(((entry.removed_ms ?? seen?.at_ms ?? 0) - entry.decided_ms) * 1000) },
    { title: "took", class: "prose", text: tookText },
  ]), "No configuration has been seen yet.");

  const pairs = h("div", { class: "pairs" });
  const cutting = panel("Partition", {}, h("p", { class: "dim" }, "Press a pair to lose all letters between the two, and again to heal it."), pairs);
  const attempt = registerTry(app, { why, nodes: () => seen?.nodes ?? [], done: (name) => {
    if (name && name !== key) show(name, 0, 1);
    else keysPoll.now();
    nodesPoll.now();
  } });
  const change = registerChange(app, { why, done: () => nodesPoll.now() });

  /** Which key or which page of keys. @param {string} name @param {number} start @param {number} number */
  const show = (name, start, number) => {
    [key, from, page, held] = [name, start, number, null];
    search.value = name;
    keysPoll.now();
  };
  const search = h("input", { type: "search", placeholder: "a key", value: key, "aria-label": "the key whose tags are shown", "data-testid": "tags-key", onchange: () => show(search.value, 0, 1) });
  const more = h("button", { type: "button", "data-testid": "tags-more", onclick: () => show("", held?.next ?? 0, page + 1) }, "Next page");
  const all = h("button", { type: "button", "data-testid": "tags-all", onclick: () => show("", 0, 1) }, "First page of all keys");
  const head = h("tr", {});
  const body = h("tbody");
  const tags = h("div", { class: "table-holder tags" }, h("table", { "aria-label": "who holds what" }, h("thead", {}, head), body));
  const none = h("p", { class: "empty" });

  const rest = h("p", { class: "dim" });
  const note = h("span", { class: "dim", "data-testid": "registers-note" });
  const add = h("button", { type: "button", "data-testid": "node-add", onclick: () => act(add, () => app.api.addNode(), "add a node") }, "+ Add a node");
  const shards = h("span", {});
  const nodesPoll = poll((signal) => app.api.registers(signal), EVERY_MS, (answer) => {
    seen = answer;
    draw();
  }, (error) => setText(note, error.message));
  const keysPoll = poll((signal) => app.api.registerKeys(key ? `key=${encodeURIComponent(key)}` : `from=${from}&count=${KEYS_SHOWN}`, signal), EVERY_MS, (answer) => {
    held = answer;
    draw();
  }, (error) => setText(none, error.message));

  function drawTags() {
    if (!held || !seen) return;
    const here = seen.nodes.filter((node) => node.is_here && (node.state !== "ended"));
    list(head, [{ name: "key", node: -1 }, ...here], ({ node }) => node, ({ name }) => h("th", { scope: "col" }, name));
    list(body, held.keys, (row) => `${row.is_text} ${row.key}`, (row) => h("tr", {}, h("th", { scope: "row" }, h("button", { class: "quiet key", type: "button", disabled: !row.is_text, title: row.is_text ? "Use this key above" : "Its bytes are no text, so it cannot be typed here", onclick: () => attempt.choose(row.key) }, row.key))), (row, of) => {
      const cells = /** @type {(RegisterNode & { isName?: boolean })[]} */ (here);
      while (row.children.length > cells.length + 1) row.lastElementChild?.remove();
      while (row.children.length < cells.length + 1) row.append(h("td", { class: "num" }));
      cells.forEach((node, at) => {
        const cell = /** @type {Element} */ (row.children[at + 1]);
        const { text, kind, about } = holdingText(holdingOf(of, node.node));
        setText(cell, text);
        setAttr(cell, "data-held", kind);
        setAttr(cell, "title", about);
        setAttr(cell, "data-testid", `tag-${node.name}`);
      });
    });
    setText(none, held.keys.length ? "" : "No key holds a value yet: SET one above.");
    more.hidden = key !== "" || held.next === null;
    all.hidden = key === "" && page === 1;
  }
  function draw() {
    if (!seen) return;
    const answer = seen;
    const known = shardsOf(answer);
    list(shards, known.length > 1 ? [known] : [], (numbers) => numbers.join(" "), (numbers) => field("shard", select(String(shard), numbers.map((of) => /** @type {[string, string]} */ ([String(of), String(of)])), (chosen) => {
      shard = Number(chosen);
      draw();
    }, { "data-testid": "registers-shard" })));
    const running = answer.nodes.filter((node) => node.state === "running" || node.state === "connected").length;
    setText(note, `${count(answer.nodes.length)} nodes, ${count(running)} of them ${answer.hosts ? "run" : "can be reached"}`);
    add.hidden = !answer.hosts;
    offer(add, "One more node on this stage; a reconfiguration makes it a member");
    nodes.show(answer.nodes.slice(0, NODES_SHOWN), (node) => node.node);
    setText(rest, answer.nodes.length > NODES_SHOWN ? `${count(answer.nodes.length - NODES_SHOWN)} more are not shown.` : "");
    timeline.show(timelineOf(answer, shard), (entry) => entry.configuration.index);
    cutting.hidden = !answer.hosts;
    list(pairs, links(answer), (pair) => pair.key, () => h("button", { type: "button", class: "pair" }), (button, pair) => {
      const name = `${pair.one.name} ${pair.isCut ? "✂" : "↔"} ${pair.other.name}`;
      setText(button, name);
      setAttr(button, "aria-pressed", String(pair.isCut));
      setAttr(button, "aria-label", `${pair.one.name} and ${pair.other.name}: ${pair.isCut ? "cut" : "connected"}`);
      setAttr(button, "data-testid", `cut-${pair.one.name}-${pair.other.name}`);
      offer(button, pair.isCut ? "Heal: letters arrive again" : "Cut: all letters between the two are lost");
      button.onclick = () => act(button, () => app.api.cutNodes(pair.one.name, pair.other.name, !pair.isCut), `${pair.isCut ? "heal" : "cut"} ${pair.one.name} and ${pair.other.name}`);
    });
    attempt.draw(answer);
    change.draw(answer);
    drawTags();
  }
  return {
    el: h("div", { class: "view registers" }, h("div", { class: "row bar" }, h("h1", {}, "Registers"), add, shards, note),
      h("section", { class: "panel" }, nodes.el, rest),
      h("div", { class: "grid two" }, panel("Try a register, and see its quorums", {}, attempt.el),
        h("div", { class: "stack" }, panel("Another configuration", {}, change.el), cutting)),
      panel("Who holds what", {}, h("div", { class: "row bar" }, search, all, more), tags, none),
      panel("Configurations, as this page's stage has seen them", {}, timeline.el)),
    draw,
    leave: () => {
      nodesPoll.end();
      keysPoll.end();
    },
  };
}
