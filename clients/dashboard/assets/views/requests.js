// The requests that are being served right now: hold them, resume them, give them up, say who goes first.
/** @import { App, Requests, RequestVerb, View } from "../types.js" */
/** @import { Row, Word } from "../pure/requests.js" */
import { h, list, panel, setAttr, setText } from "../dom.js";
import { poll } from "../api.js";
import { count, elapsed, NONE } from "../pure/format.js";
import { ageOf, arranged, examples, holdOrResume, REQUEST_STATES, stateOf, urgentText, verbText, wordText, workServer } from "../pure/requests.js";
import { PLACES } from "../parts/badges.js";
import { copyable, showCopyable } from "../parts/copyable.js";
import { niceSlider, showNice } from "../parts/nice-slider.js";
import { linkCell, table } from "../parts/table.js";

const EVERY_MS = 1000;
const READ_ONLY = "This page may only look: open it with the address that has the token.";
const NICE_ABOUT = "A nice value: −20 gets most of the processor, 19 least, 0 is usual; a step is a factor of about 1.25. It lasts as long as the request.";

/** @param {App} app @param {string} chosen the request that the address names, if it names one @returns {View} */
export function requestsView(app, chosen) {
  const { store } = app;
  /** @type {Requests|null} */
  let status = null;
  /** @type {Row[]} */
  let rows = [];
  /** What was asked about each of them last. @type {Map<string, Word>} */
  const words = new Map();
  /** A priority that somebody wants while the one before is still being set. @type {Map<string, RequestVerb>} */
  const next = new Map();
  /** When the latest look was begun, and when something was done last. */
  let asked_ms = 0;
  let acted_ms = 0;
  /** Ids of actors by path, as of the latest drawing. @type {Map<string, number>} */
  let ids = new Map();

  const isAsking = (/** @type {string} */ key) => {
    const word = words.get(key);
    return word !== undefined && word.answer === undefined && word.error === undefined;
  };
  /** @param {string} key @param {RequestVerb} verb */
  const act = async (key, verb) => {
    if (isAsking(key)) {
      next.set(key, verb);
      return;
    }
    words.set(key, { verb, at_ms: performance.now() });
    draw();
    /** @type {Pick<Word, "answer"|"error">} */
    let outcome;
    try {
      outcome = { answer: (await app.api.actOnRequest(key, verb)).answer };
    } catch (error) {
      const { message, hint } = /** @type {import("../api.js").ApiError} */ (error);
      outcome = { error: message };
      app.toast(`${verbText(verb)} ${key}: ${message}`, "bad", hint);
    }
    acted_ms = performance.now();
    words.set(key, { verb, at_ms: acted_ms, ...outcome });
    const row = rows.find((one) => one.key === key);
    if (row && outcome.answer && (outcome.answer.state === "held" || outcome.answer.state === "running")) {
      row.view = { ...row.view, state: outcome.answer.state };
    }
    draw();
    polled.now();
    const more = next.get(key);
    next.delete(key);
    if (more !== undefined) act(key, more);
  };
  const may = () => store.state.stage?.can_act === true;
  /** Why nothing can be done about it, or nothing. @param {Row} row */
  const why = (row) => (!may() ? READ_ONLY : row.isOver ? "It is over." : "");
  /** @param {HTMLButtonElement} button @param {Row} row @param {string} about */
  const offer = (button, row, about) => {
    setAttr(button, "disabled", why(row) !== "");
    setAttr(button, "aria-busy", isAsking(row.key) ? "true" : null);
    setAttr(button, "title", why(row) || about);
  };

  const requests = table("requests", /** @type {import("../parts/table.js").Column<Row>[]} */ ([
    { title: "request", class: "prose", about: "server/connection.number", make: () => h("b", { class: "num" }), update: (name, row, cell) => {
      setText(name, row.key);
      setAttr(name, "title", row.key);
      setAttr(/** @type {Element} */ (cell.parentElement), "aria-current", row.key === chosen ? "true" : null);
      setAttr(/** @type {Element} */ (cell.parentElement), "data-state", stateOf(row));
    }, testid: (row) => `request-${row.key}` },
    { title: "state", update: (_, row, cell) => {
      const state = stateOf(row);
      const { shape, tone, about } = REQUEST_STATES[state];
      setText(cell, `${shape} ${state}`);
      setAttr(cell, "data-tone", tone);
      setAttr(cell, "title", about);
    }, testid: (row) => `request-state-${row.key}` },
    { title: "age", class: "num", text: (row) => elapsed(ageOf(row, performance.now())) },
    { title: "act", make: () => h("div", { class: "row" }, h("button", { type: "button" }), h("button", { type: "button", class: "danger" }, "Cancel")),
      update: (bar, row) => {
        const [rest, cancel] = bar.children;
        const verb = holdOrResume(row, words.get(row.key));
        setText(rest, verb === "hold" ? "❚❚ Hold" : "▶ Resume");
        setAttr(rest, "aria-label", `${verb} ${row.key}`);
        setAttr(rest, "data-testid", `request-${verb}-${row.key}`);
        offer(rest, row, verb === "hold" ? "No progress until it is resumed" : "It goes on where it rested");
        rest.onclick = () => act(row.key, verb);
        setAttr(cancel, "aria-label", `cancel ${row.key}`);
        setAttr(cancel, "data-testid", `request-cancel-${row.key}`);
        offer(cancel, row, "It is given up, and its client is told in the words of its protocol");
        cancel.onclick = () => act(row.key, "cancel");
      } },
    { title: "nice", about: NICE_ABOUT, make: () => niceSlider(() => {}), update: (slider, row) => {
      showNice(slider, row.view.nice, { label: `nice value of ${row.key}`, about: NICE_ABOUT, why: why(row) });
      slider.firstElementChild.onchange = () => act(row.key, { priority: slider.firstElementChild.valueAsNumber });
    }, testid: (row) => `request-nice-${row.key}` },
    { title: "what came of it", class: "prose", make: () => h("span", { class: "word" }), update: (shown, row) => {
      const { text, tone } = wordText(words.get(row.key));
      setText(shown, text);
      setAttr(shown, "data-tone", tone);
    }, testid: (row) => `request-answer-${row.key}` },
    { title: "client", class: "num prose", text: (row) => row.view.peer ?? NONE },
    { title: "place", text: (row) => PLACES[row.view.place] ?? row.view.place },
    { title: "served by", class: "prose", ...linkCell((/** @type {Row} */ row) => (row.view.actor === null ? null : (ids.get(row.view.actor) ?? null)), (row) => row.view.actor ?? NONE) },
  ]), "");
  requests.el.classList.add("requests");

  const port = h("p", { class: "lint-text", "data-testid": "urgent-port" });
  const counts = h("p", { class: "dim", "data-testid": "urgent-counts" });
  const note = h("span", { class: "dim", "data-testid": "requests-note" });
  const none = h("p", { class: "empty", "data-testid": "requests-none" });
  const more = h("p", { class: "dim" });
  const gone = h("p", { class: "dim lint-text" });
  const nice = h("p", { class: "dim hint" }, NICE_ABOUT);
  const tries = h("div", {});
  const trying = panel("Try it", {}, tries);
  const polled = poll((signal) => {
    asked_ms = performance.now();
    return app.api.requests(signal);
  }, EVERY_MS, (answer) => {
    // Older than what is known of a request that something was done about meanwhile.
    if (status && acted_ms > asked_ms) return;
    status = answer;
    const isPointedAt = requests.el.matches(":hover") || requests.el.querySelector(":focus-visible") !== null;
    rows = arranged(rows, answer.requests, performance.now(), { isPointedAt, words });
    for (const key of words.keys()) if (!rows.some((row) => row.key === key)) words.delete(key);
    draw();
  }, (error) => setText(note, error.message));

  function draw() {
    if (!status) return;
    const { urgent } = status;
    const { text, tone } = urgentText(urgent);
    setText(port, text);
    setAttr(port, "data-tone", tone);
    counts.hidden = urgent === null;
    if (urgent) setText(counts, `${count(urgent.counts.port.commands)} commands, ${count(urgent.counts.port.wrong_keys)} wrong keys, ${count(urgent.counts.port.evicted)} evicted to make room`);
    const all = status.requests.length + status.more;
    const busy = status.servers.filter((server) => server.requests > 0);
    setText(note, `${count(all)} now${busy.length > 1 ? `: ${busy.map((server) => `${count(server.requests)} ${server.name}`).join(", ")}` : ""}`);
    ids = rows.length ? new Map([...store.state.actors.values()].map((actor) => [actor.path, actor.id])) : new Map();
    requests.show(rows, (row) => row.key);
    nice.hidden = rows.length === 0;
    none.hidden = rows.length > 0;
    const server = workServer(store.state.servers);
    setText(none, server ? "Nothing is being served at this moment: most requests are over before anybody can look. The commands below make one that takes long."
      : "Nothing is being served at this moment. A server of the service work takes requests that take long: `palco up` has some.");
    const isGone = chosen !== "" && !rows.some((row) => row.key === chosen);
    setText(gone, isGone ? `${chosen} is not among them: it is over.` : "");
    gone.hidden = !isGone || status.more > 0;
    setText(more, status.more ? `${count(status.more)} more are not shown: these are the longest.` : "");
    more.hidden = status.more === 0;
    const shown = examples(server, urgent !== null);
    trying.hidden = shown.length === 0;
    list(tries, shown, (example) => example.about, () => h("div", { class: "try" }, h("p", { class: "dim" }), copyable()), (holder, example) => {
      setText(/** @type {Element} */ (holder.firstElementChild), example.about);
      showCopyable(/** @type {HTMLElement} */ (holder.lastElementChild), example.text);
    });
  }
  return {
    el: h("div", { class: "view" }, h("div", { class: "row bar" }, h("h1", {}, "Requests"), note), h("section", { class: "panel" }, port, counts),
      h("section", { class: "panel" }, requests.el, none, gone, more, nice), trying),
    draw, leave: polled.end,
  };
}
