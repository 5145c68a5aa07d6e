// The page itself: navigation, what stands above every view, and when the view is drawn.
/** @import { App, View } from "./types.js" */
import * as api from "./api.js";
import { connect } from "./connection.js";
import { h, setAttr, setText } from "./dom.js";
import { toaster } from "./parts/toasts.js";
import { Store } from "./store.js";
import { themeButton } from "./theme.js";
import { actorView } from "./views/actor.js";
import { actorsView } from "./views/actors.js";
import { flowView } from "./views/flow.js";
import { logView } from "./views/log.js";
import { overviewView } from "./views/overview.js";
import { processesView } from "./views/processes.js";
import { registersView } from "./views/registers.js";
import { requestsView } from "./views/requests.js";
import { sequenceView } from "./views/sequence.js";
import { serversView } from "./views/servers.js";
import { servicesView } from "./views/services.js";
import { timelineView } from "./views/timeline.js";
import { treeView } from "./views/tree.js";
import { waitsView } from "./views/waits.js";

/** @type {[string, string, (app: App, rest: string) => View][]} */
const ROUTES = [
  ["", "Overview", overviewView], ["tree", "Tree", treeView], ["actors", "Actors", actorsView], ["flow", "Flow", flowView],
  ["sequence", "Sequence", sequenceView], ["timeline", "Timeline", timelineView], ["servers", "Servers", serversView],
  ["requests", "Requests", requestsView],
  ["registers", "Registers", registersView],
  ["services", "Services", servicesView], ["processes", "Processes", processesView], ["log", "Log", logView], ["waits", "Waits", waitsView],
];
/** How often times that grow are drawn when nothing else changes. */
const TICK_MS = 500;

const CONNECTION = { connecting: "◔", live: "●", "catching up": "◐", lost: "✕" };

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const store = new Store();
/** @type {App} */
const app = {
  store,
  api,
  toast: toaster(byId("toasts")),
  go: (hash) => {
    location.hash = hash;
  },
  kept: { capture: null },
};
/** @type {View|null} */
let view = null;
let isPlanned = false;
let isHeld = false;

const links = new Map(ROUTES.map(([name, title]) => [name, h("a", { href: `#/${name}`, "data-testid": `nav-${name || "overview"}` },
  title, h("span", { class: "nav-count num" }))]));
byId("nav").append(...links.values());

const connection = h("span", { class: "connection", "data-testid": "connection", role: "status" },
  h("span", { class: "shape", "aria-hidden": "true" }), h("span", { class: "word" }));
const hold = h("button", { class: "quiet", type: "button", "aria-pressed": "false", "data-testid": "hold",
  title: "Hold the picture still; nothing is lost meanwhile", onclick: () => {
    isHeld = !isHeld;
    setAttr(hold, "aria-pressed", String(isHeld));
    setText(hold, isHeld ? "▶ Go on" : "❚❚ Hold");
    plan();
  } }, "❚❚ Hold");
const find = h("input", { type: "search", placeholder: "Find an actor  /", "aria-label": "find an actor", "data-testid": "find",
  onkeydown: (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || !find.value.trim()) return;
    app.go(`#/actors/${encodeURIComponent(find.value.trim())}`);
    find.value = "";
  } });
byId("tools").append(find, hold, themeButton(), connection);

function route() {
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const isActor = name === "actor";
  const found = ROUTES.find(([path]) => path === name);
  view?.leave?.();
  const argument = decodeURIComponent(rest.join("/"));
  view = isActor ? actorView(app, argument) : (found?.[2] ?? overviewView)(app, argument);
  for (const [path, link] of links) setAttr(link, "aria-current", path === (isActor ? "actors" : (found?.[0] ?? "")) ? "page" : null);
  document.title = `${isActor ? "Actor" : (found?.[1] ?? "Overview")} · palco`;
  byId("main").replaceChildren(view.el);
  byId("main").scrollTop = 0;
  links.get(name)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  draw();
}

function plan() {
  if (isPlanned || document.hidden) return;
  isPlanned = true;
  requestAnimationFrame(() => {
    isPlanned = false;
    draw();
  });
}

function draw() {
  drawTop();
  if (isHeld && view?.el.dataset.drawn) return;
  if (!view || !store.state.stage) return;
  performance.mark("draw");
  view.draw();
  view.el.dataset.drawn = "yes";
  performance.measure("draw", "draw");
  performance.clearMarks("draw");
  if (performance.getEntriesByName("draw").length > 400) performance.clearMeasures("draw");
}

function drawTop() {
  const [shape, word] = connection.children;
  setAttr(connection, "data-state", store.connection);
  setText(/** @type {Element} */ (shape), CONNECTION[store.connection]);
  setText(/** @type {Element} */ (word), store.connection);
  setAttr(connection, "title", store.connectionText || "updates arrive as they happen");
  const { stage, lints, servers } = store.state;
  offered("requests", servers.length > 0);
  offered("registers", stage?.registers === true);
  offered("services", stage?.superserver === true);
  counted("", lints.length);
  counted("waits", lints.filter((lint) => lint.kind === "deadlock").length);
  const notice = byId("notice");
  const text = store.connection === "lost" ? `✕ The stage does not answer: ${store.connectionText}. What is shown is the last that was known.`
    : stage && !stage.can_act ? "This page may only look. To act, open it with the address that palco up prints: it has the token." : (stage?.demo ?? "");
  setText(notice, text);
  setAttr(notice, "data-tone", store.connection === "lost" ? "bad" : "calm");
  notice.hidden = !text;
}

/** Shows the link of a view that not every stage has. @param {string} name @param {boolean} isThere */
function offered(name, isThere) {
  const link = links.get(name);
  if (!link || link.hidden === !isThere) return;
  link.hidden = !isThere;
  if (isThere && link.hasAttribute("aria-current")) link.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** @param {string} name @param {number} count */
function counted(name, count) {
  const sign = links.get(name)?.lastElementChild;
  if (sign) setText(sign, count ? `▲${count}` : "");
}

addEventListener("hashchange", route);
document.addEventListener("visibilitychange", plan);
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLElement && event.target.closest("input, select, textarea, dialog")) return;
  event.preventDefault();
  find.focus();
});
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
store.subscribe(plan);
setInterval(plan, TICK_MS);
route();
connect(store);
