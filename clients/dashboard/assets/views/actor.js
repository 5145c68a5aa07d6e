// One actor: what it does and why, its state and mailbox, how long things take, and the buttons that act on it.
/** @import { ActorPage, ActorView, App, ExitEntry, MessageRecord, Queued, StepRecord, View, WaitEdge } from "../types.js" */
import { actorLink, h, list, panel, setAttr, setText } from "../dom.js";
import { explain } from "../pure/advice.js";
import { count, duration, elapsed, exitReason, isFailure, lastName, rate, timeOfDay, bytes } from "../pure/format.js";
import { waitCycles } from "../pure/cycles.js";
import { poll } from "../api.js";
import { actionBar } from "../parts/actions.js";
import { depthBar, placeBadge, showDepth, showPlace, showSpark, showStatus, sparkline, statusBadge } from "../parts/badges.js";
import { histogramChart, showHistogram } from "../parts/bars.js";
import { jsonView } from "../parts/json-view.js";
import { linkCell, table } from "../parts/table.js";
import { doing } from "./actors.js";

const EVERY_MS = 1000;
const SHOWN = 40;

/** @param {App} app @param {string} argument the id @returns {View} */
export function actorView(app, argument) {
  const { store } = app;
  const id = Number(argument);
  /** @type {ActorPage|null} */
  let page = null;
  const head = headline(app, id);
  const why = h("div", { class: "why", "data-testid": "why", hidden: true }, h("p", { class: "why-text" }), h("p", {}, h("b", {}, "What to do: "), h("span", {})));
  const fresh = h("span", { class: "fresh", "data-testid": "freshness" });
  const state = jsonView();
  const bars = { wait: histogramChart("time in the mailbox"), handle: histogramChart("time in the handler") };
  const below = lists(app);
  const serves = h("p", { hidden: true }, "It is serving the request ", h("a", { "data-testid": "actor-request" }), ": hold it, resume it or give it up there.");
  const failed = h("p", { class: "empty", hidden: true });
  const polled = poll((signal) => app.api.actor(id, signal), EVERY_MS, (answer) => {
    page = answer;
    failed.hidden = true;
    showPage(answer);
    draw();
  }, (error) => {
    failed.hidden = false;
    setText(failed, `${error.message} ${/** @type {any} */ (error).hint ?? ""}`);
  });
  const actions = actionBar(app, id, () => polled.now());
  const body = h("div", { class: "grid actor-grid" },
    panel("State", {}, fresh, state.el),
    panel("Mailbox", {}, below.queue.el),
    panel("Time in the mailbox", {}, bars.wait), panel("Time in the handler", {}, bars.handle),
    panel("Handled by type", {}, below.types.el),
    panel("Waits", {}, h("h3", {}, "waits for"), below.waitsFor.el, h("h3", {}, "is waited for by"), below.waitedFor.el),
    panel("Ends of its lives", {}, below.exits.el), panel("Children", {}, below.children, below.none),
    panel("Latest messages", { class: "wide" }, below.messages.el), panel("Latest steps", {}, below.steps.el));
  const el = h("div", { class: "view actor", "data-testid": "actor-page" }, head.el, why, serves, actions.el, failed, body);

  /** @param {ActorPage} answer */
  function showPage(answer) {
    const marks = { live: "● live", stale: `◐ stale: ${duration((answer.freshness.age_ms ?? 0) * 1000)} old, it has not answered since`, post_mortem: "✕ post-mortem: the last that was written down", unknown: "? unknown: it has never answered" };
    setText(fresh, marks[answer.freshness.mark] ?? answer.freshness.mark);
    setAttr(fresh, "data-mark", answer.freshness.mark);
    state.show(answer.state);
    serves.hidden = answer.request === undefined;
    const link = /** @type {Element} */ (serves.firstElementChild);
    setText(link, answer.request ?? "");
    setAttr(link, "href", `#/requests/${encodeURIComponent(answer.request ?? "")}`);
    showHistogram(bars.wait, answer.wait_histogram);
    showHistogram(bars.handle, answer.handle_histogram);
    below.show(answer);
  }

  function draw() {
    const actor = store.state.actors.get(id) ?? page;
    actions.draw();
    if (!actor) return;
    head.draw(actor);
    const edges = page?.waits_for ?? [];
    const circle = [...edges, ...(page?.waited_for_by ?? [])];
    const isDeadlocked = waitCycles(circle).some((cycle) => cycle.includes(id))
      || store.state.lints.some((lint) => lint.kind === "deadlock" && lint.actor === id);
    const found = explain(actor, store.running(actor), edges, isDeadlocked);
    why.hidden = found === null;
    if (!found) return;
    setAttr(why, "data-tone", found.tone);
    setText(/** @type {Element} */ (why.firstElementChild), `${found.tone === "bad" ? "▲" : "◐"} ${found.why}`);
    setText(/** @type {Element} */ (why.querySelector("span")), found.todo);
  }

  return { el, draw, leave: polled.end };
}

/** @param {App} app @param {number} id */
function headline({ store }, id) {
  const title = h("h1", { class: "actor-title" });
  const badge = statusBadge();
  badge.dataset.testid = "actor-status";
  const place = placeBadge();
  const depth = depthBar();
  const spark = sparkline("messages a second, last 30 seconds", 90, 22);
  const facts = h("dl", { class: "facts" });
  const parent = actorLink(0, "");
  /** @type {[string, string, (a: ActorView) => string][]} */
  const shown = [
    ["handled", "handled", (a) => count(a.handled)], ["sent to it", "sent", (a) => count(a.sent)],
    ["dropped", "dropped", (a) => (a.dropped.length ? a.dropped.map(([why, n]) => `${count(n)} ${why}`).join(", ") : "0")],
    ["restarts", "restarts", (a) => `${a.restarts} (${a.restart})`], ["last exit", "last-exit", (a) => `${isFailure(a.last_exit) ? "✕ " : ""}${exitReason(a.last_exit)}`],
    ["in/s", "rate", (a) => rate(store.rate(a.id))], ["wait p50 / p99", "wait", (a) => `${duration(a.wait?.p50_us)} / ${duration(a.wait?.p99_us)}`],
    ["handle p50 / p99", "handle", (a) => `${duration(a.handle?.p50_us)} / ${duration(a.handle?.p99_us)}`],
    ["process", "process", (a) => (a.process ? `${bytes(a.process.rss_bytes)}, CPU ${a.process.cpu_ms == null ? "–" : duration(a.process.cpu_ms * 1000)}` : "–")],
    ["doing", "doing", (a) => doing(store, a) || "nothing"],
  ];
  const values = shown.map(([name, key, text]) => {
    const value = h("dd", { class: "num", "data-testid": `actor-${key}` }, "–");
    facts.append(h("div", {}, h("dt", {}, name), value));
    return { value, text };
  });
  return {
    el: h("header", { class: "actor-head" }, h("div", { class: "crumbs dim" }, "below ", parent), h("div", { class: "row" }, title, badge, place, depth, spark), facts),
    /** @param {ActorView} actor */
    draw: (actor) => {
      setText(title, actor.path);
      setAttr(title, "title", `${actor.path} #${id}`);
      // Those at the top are below the stage itself, which is no actor that could be opened.
      const above = actor.parent === null ? undefined : store.state.actors.get(actor.parent);
      setText(parent, above?.path ?? "the stage");
      setAttr(parent, "href", above ? `#/actor/${above.id}` : "#/tree");
      showStatus(badge, actor.status);
      showPlace(place, actor, true);
      showDepth(depth, actor);
      showSpark(spark, store.series(id, 30));
      for (const { value, text } of values) setText(value, text(actor));
      document.title = `${lastName(actor.path)} · palco`;
    },
  };
}

/** @param {App} app */
function lists({ store }) {
  const kind = (/** @type {{ urgent: boolean, ask: boolean }} */ m) => `${m.urgent ? "‼ urgent " : ""}${m.ask ? "ask" : "tell"}`;
  const queue = table(/** @type {string} */ ("mailbox"), /** @type {import("../parts/table.js").Column<Queued>[]} */ ([
    { title: "message", text: (m) => m.message }, { title: "kind", text: kind },
    { title: "from", ...linkCell((/** @type {Queued} */ m) => m.from, (m) => (m.from === null ? "not observed" : store.path(m.from))) },
    { title: "waiting", class: "num", text: (m) => duration(m.waiting_us) },
  ]), "Nothing is queued.");
  const types = table("types", /** @type {import("../parts/table.js").Column<{ message: string, handled: number }>[]} */ ([
    { title: "type", text: (t) => t.message }, { title: "handled", class: "num", text: (t) => count(t.handled) },
  ]), "Nothing observed yet.");
  /** @param {"from"|"to"} end */
  const waits = (end) => table(`waits ${end}`, /** @type {import("../parts/table.js").Column<WaitEdge>[]} */ ([
    { title: "actor", ...linkCell((/** @type {WaitEdge} */ e) => e[end], (e) => (end === "to" ? e.to_path : e.from_path)) },
    { title: "question", text: (e) => e.message }, { title: "for", class: "num", text: (e) => elapsed(e.for_ms) },
  ]), "nobody");
  const waitsFor = waits("to");
  const waitedFor = waits("from");
  const exits = table("exits", /** @type {import("../parts/table.js").Column<ExitEntry>[]} */ ([
    { title: "when", class: "num", text: (e) => timeOfDay(e.at_ms, store.now(), Date.now()) },
    { title: "why", text: (e) => `${isFailure(e.reason) ? "✕ " : ""}${e.text}` }, { title: "then", text: (e) => (e.restarted ? "▲ started again" : "ended for good") },
  ]), "It is in its first life.");
  const messages = table("messages", /** @type {import("../parts/table.js").Column<MessageRecord>[]} */ ([
    { title: "message", text: (m) => m.message }, { title: "kind", text: kind },
    { title: "from", ...linkCell((/** @type {MessageRecord} */ m) => m.from, (m) => store.path(m.from)) },
    { title: "waited", class: "num", text: (m) => duration(m.begun_us - m.sent_us) },
    { title: "handled in", class: "num", text: (m) => (m.ended_us == null ? "● runs" : duration(m.ended_us - m.begun_us)) },
    { title: "outcome", text: (m) => (m.ended_us == null ? "" : m.outcome === "handled" ? "✓ handled" : `✕ ${m.outcome}`) },
  ]), "Nothing observed yet: messages are observed while somebody looks.");
  const steps = table("steps", /** @type {import("../parts/table.js").Column<StepRecord>[]} */ ([
    { title: "step", text: (s) => s.what }, { title: "took", class: "num", text: (s) => (s.until_us == null ? "● goes on" : duration(s.until_us - s.at_us)) },
  ]), "Its handlers have said nothing.");
  const children = h("div", { class: "chips" });
  const none = h("p", { class: "empty", hidden: true }, "It has none.");
  return {
    queue, types, waitsFor, waitedFor, exits, messages, steps, children, none,
    /** @param {ActorPage} page */
    show: (page) => {
      queue.show(page.queue.map((m, i) => ({ ...m, i })), (m) => /** @type {any} */ (m).i);
      types.show(page.types, (t) => t.message);
      waitsFor.show(page.waits_for, (e) => `${e.to} ${e.message}`);
      waitedFor.show(page.waited_for_by, (e) => `${e.from} ${e.message}`);
      exits.show([...page.exits].reverse(), (e) => e.at_ms);
      messages.show(page.messages.slice(-SHOWN).reverse(), (m) => m.id);
      steps.show(page.steps.slice(-SHOWN).reverse(), (s) => `${s.at_us} ${s.what}`);
      list(children, page.children, (child) => child, (child) => actorLink(child, "", { class: "chip actor-link" }), (link, child) => setText(link, lastName(store.path(child))));
      none.hidden = page.children.length > 0;
    },
  };
}
