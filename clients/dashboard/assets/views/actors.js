// All actors in one table that can be searched, filtered and sorted.
/** @import { App, ActorView, View } from "../types.js" */
/** @import { Filter } from "../pure/select.js" */
/** @import { Store } from "../store.js" */
import { h, select, setAttr, setText } from "../dom.js";
import { STATUS, isResting, LONG_MS } from "../pure/advice.js";
import { bytes, count, duration, elapsed, exitReason, isFailure, rate } from "../pure/format.js";
import { matches, sorted } from "../pure/select.js";
import { depthBar, PLACES, placeBadge, placeId, showDepth, showPlace, showStatus, statusBadge } from "../parts/badges.js";
import { VirtualRows } from "../parts/virtual-rows.js";

/** How often rows may change places while a person reads. */
const RESORT_MS = 1000;

/** What a handler is doing, and for how long. @param {Store} store @param {ActorView} actor */
export function doing(store, actor) {
  const what = actor.note ?? actor.message;
  if (!what || actor.status === "ended") return "";
  const text = actor.note && actor.message && actor.message !== actor.note ? `${actor.message} · ${actor.note}` : what;
  const ms = store.running(actor);
  const sign = ms !== null && ms >= LONG_MS && actor.status === "busy" && !isResting(actor) ? "▲ " : "";
  return `${sign}${text}${ms === null ? "" : ` ${elapsed(ms)}`}`;
}

/**
 * @typedef {object} ActorColumn
 * @property {string} key
 * @property {string} title
 * @property {string} [about]
 * @property {string} [class]
 * @property {(actor: ActorView, store: Store) => string|number|null|undefined} value to sort by
 * @property {() => HTMLElement} [make]
 * @property {(cell: HTMLElement, actor: ActorView, store: Store) => void} show
 */
const first = (/** @type {HTMLElement} */ cell) => /** @type {HTMLElement} */ (cell.firstElementChild);

/** @param {string} key @param {string} title @param {string} about @param {(a: ActorView) => number|undefined} value @returns {ActorColumn} */
const time = (key, title, about, value) => ({ key, title, about, class: "num", value, show: (cell, a) => setText(cell, duration(value(a))) });

/** @type {ActorColumn[]} */
const COLUMNS = [
  { key: "path", title: "path", value: (a) => a.path, make: () => h("a", { class: "actor-link" }), show: (cell, a) => {
    setText(first(cell), a.path);
    setAttr(first(cell), "href", `#/actor/${a.id}`);
    setAttr(first(cell), "title", `${a.path} #${a.id}`);
  } },
  { key: "type", title: "type", class: "clip", value: (a) => a.actor_type, show: (cell, a) => setText(cell, a.actor_type) },
  { key: "place", title: "place", about: "task, fiber, thread or process, with the id of its own thread or process", value: (a) => `${a.place} ${placeId(a) ?? ""}`, make: placeBadge, show: (cell, a) => showPlace(first(cell), a, true) },
  { key: "status", title: "status", value: (a) => a.status, make: statusBadge, show: (cell, a) => {
    showStatus(first(cell), a.status);
    setAttr(cell, "data-testid", `status-${a.path}`);
  } },
  { key: "queued", title: "queued", about: "messages in both lanes, of what the normal lane holds", value: (a) => a.queued, make: depthBar, show: (cell, a) => showDepth(first(cell), a) },
  { key: "urgent", title: "urgent", about: "messages in the urgent lane", class: "num", value: (a) => a.urgent, show: (cell, a) => setText(cell, a.urgent ? `‼ ${a.urgent}` : "·") },
  { key: "rate", title: "in/s", about: "messages accepted a second", class: "num", value: (a, store) => store.rate(a.id), show: (cell, a, store) => setText(cell, rate(store.rate(a.id))) },
  time("wait50", "wait p50", "half waited no longer in the mailbox", (a) => a.wait?.p50_us),
  time("wait99", "wait p99", "99 of 100 waited no longer in the mailbox", (a) => a.wait?.p99_us),
  time("handle50", "handle p50", "half of the handlers ran no longer", (a) => a.handle?.p50_us),
  time("handle99", "handle p99", "99 of 100 handlers ran no longer", (a) => a.handle?.p99_us),
  { key: "running", title: "current message", about: "the message whose handler runs, and for how long; ▲ longer than a second", class: "clip", value: (a, store) => (a.status === "ended" ? null : store.running(a)), show: (cell, a, store) => {
    const text = doing(store, a);
    setText(cell, text);
    setAttr(cell, "title", text || null);
    setAttr(cell, "data-tone", text.startsWith("▲") ? "bad" : null);
  } },
  { key: "restarts", title: "restarts", class: "num", value: (a) => a.restarts, show: (cell, a) => setText(cell, a.restarts ? `▲ ${count(a.restarts)}` : "·") },
  { key: "exit", title: "last exit", class: "clip", value: (a) => (a.last_exit ? exitReason(a.last_exit) : null), show: (cell, a) => {
    setText(cell, a.last_exit ? `${isFailure(a.last_exit) ? "✕ " : ""}${exitReason(a.last_exit)}` : "");
    setAttr(cell, "title", a.last_exit ? exitReason(a.last_exit) : null);
  } },
  { key: "rss", title: "RSS", about: "memory of its process", class: "num", value: (a) => a.process?.rss_bytes, show: (cell, a) => setText(cell, a.process ? bytes(a.process.rss_bytes) : "") },
  { key: "cpu", title: "CPU time", about: "processor time of its process", class: "num", value: (a) => a.process?.cpu_ms, show: (cell, a) => setText(cell, a.process?.cpu_ms != null ? duration(a.process.cpu_ms * 1000) : "") },
];

/** @type {{ filter: Filter, by: string, direction: "up"|"down" }} */
const kept = { filter: { text: "", status: "", place: "" }, by: "path", direction: "up" };

/** @param {App} app @param {string} text to search for at first @returns {View} */
export function actorsView(app, text) {
  const { store } = app;
  if (text) kept.filter = { text, status: "", place: "" };
  let sortedAt = 0;
  /** @type {number[]} */
  let order = [];
  const again = () => {
    sortedAt = 0;
    draw();
  };
  /** @type {HTMLElement[]} */
  const heads = COLUMNS.map((column) => h("div", { role: "columnheader", class: column.class, title: column.about },
    h("button", { class: "sort", type: "button", "data-testid": `sort-${column.key}`, onclick: () => {
      const isText = ["path", "type", "place", "status", "exit"].includes(column.key);
      if (kept.by === column.key) kept.direction = kept.direction === "up" ? "down" : "up";
      else Object.assign(kept, { by: column.key, direction: isText ? "up" : "down" });
      again();
    } }, column.title)));
  /** @type {VirtualRows<ActorView>} */
  const rows = new VirtualRows({
    rowHeight: 28,
    label: "actors",
    role: "table",
    head: h("div", { role: "row", class: "actor-cols" }, ...heads),
    make: () => h("div", { class: "actor-cols", "data-testid": "actor-row" },
      ...COLUMNS.map((column) => h("div", { role: "cell", class: column.class }, column.make?.()))),
    update: (row, actor) => {
      setAttr(row, "data-status", actor.status);
      setAttr(row, "data-path", actor.path);
      COLUMNS.forEach((column, i) => column.show(/** @type {HTMLElement} */ (row.children[i]), actor, store));
    },
  });
  const search = h("input", { type: "search", value: kept.filter.text, placeholder: "path, type, message, pid …", "aria-label": "search", "data-testid": "actors-search", oninput: () => {
    kept.filter.text = search.value;
    again();
  } });
  const statuses = select(kept.filter.status, [["", "any status"], .../** @type {[string, string][]} */ (Object.entries(STATUS).map(([name, { shape, text: word }]) => [name, `${shape} ${word}`]))],
    (value) => { kept.filter.status = /** @type {Filter["status"]} */ (value); again(); }, { "aria-label": "status", "data-testid": "actors-status" });
  const places = select(kept.filter.place, [["", "any place"], ...Object.entries(PLACES)],
    (value) => { kept.filter.place = /** @type {Filter["place"]} */ (value); again(); }, { "aria-label": "place", "data-testid": "actors-place" });
  const shown = h("span", { class: "dim num", role: "status" });
  const draw = () => {
    const { actors } = store.state;
    const column = /** @type {ActorColumn} */ (COLUMNS.find(({ key }) => key === kept.by) ?? COLUMNS[0]);
    const now = performance.now();
    if (now - sortedAt > RESORT_MS) {
      sortedAt = now;
      const wanted = [...actors.values()].filter((actor) => matches(actor, kept.filter));
      order = sorted(wanted, (actor) => column.value(actor, store), kept.direction).map(({ id }) => id);
      COLUMNS.forEach(({ key }, i) => {
        const sort = key !== kept.by ? "none" : kept.direction === "up" ? "ascending" : "descending";
        setAttr(/** @type {Element} */ (heads[i]), "aria-sort", sort);
      });
      setText(shown, `${order.length} of ${actors.size}`);
    }
    rows.show(order.map((id) => actors.get(id)).filter((actor) => actor !== undefined));
  };
  const bar = h("div", { class: "row bar" }, h("h1", {}, "Actors"), search, statuses, places, shown);
  return { el: h("div", { class: "view full" }, bar, rows.el), draw, leave: () => rows.end() };
}
