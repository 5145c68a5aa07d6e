// The overview: what looks wrong, how much happens, who stands out, and whether every message is accounted for.
/** @import { App, ActorView, Lint, Report, Totals, View } from "../types.js" */
import { poll } from "../api.js";
import { actorLink, h, list, panel, setAttr, setText, setVar } from "../dom.js";
import { LINTS, isResting } from "../pure/advice.js";
import { ago, brief, bytes, count, duration, elapsed, percent, rate } from "../pure/format.js";
import { gradeText, reportDate } from "../pure/reports.js";
import { top } from "../pure/select.js";
import { showSpark, sparkline, showStatus, statusBadge } from "../parts/badges.js";

const SPARK_S = 30;
const TOP = 6;
const REPORTS_EVERY_MS = 10_000;

/** @type {[keyof Totals, string, string][]} */
const LEDGER = [
  ["handled", "handled", "handled to their end"], ["queued", "queued", "in mailboxes"], ["dropped", "dropped", "accepted and not handled; see the log"],
  ["in_flight", "in flight", "with a handler"],
];

/** @param {App} app @returns {View} */
export function overviewView(app) {
  const { store } = app;
  const lints = h("div", { class: "cards", role: "list", "data-testid": "lints" });
  const calm = h("p", { class: "empty good" }, "✓ Nothing looks wrong.");
  const tiles = tileRow(app);
  const ledger = ledgerBar();
  const tops = [
    topList(app, "Longest mailboxes", "queued", (a) => (a.status === "ended" ? 0 : a.queued), (v, a) => `${brief(v)} of ${brief(a.capacity)}`),
    topList(app, "Longest wait in the mailbox (p99)", "wait", (a) => a.wait?.p99_us, (v) => duration(v)),
    topList(app, "Most restarts", "restarts", (a) => a.restarts, (v) => `▲ ${count(v)}`),
    topList(app, "Running longest", "running", (a) => (a.status === "ended" || isResting(a) ? 0 : store.running(a)), (v) => elapsed(v)),
  ];
  const servers = h("div", { class: "strip", role: "list" });
  const benchmarks = benchmarkList();
  // What cannot be asked is shown as it was known last; the connection says that the stage does not answer.
  const polled = poll(app.api.reports, REPORTS_EVERY_MS, (answer) => benchmarks.show(answer.reports), () => {});
  const el = h("div", { class: "view overview" }, h("h1", { class: "hidden" }, "Overview"),
    panel("What looks wrong", {}, lints, calm), tiles.el, ledger.el,
    h("div", { class: "grid tops" }, ...tops.map((t) => t.el)), panel("Servers", {}, servers), benchmarks.el);
  return {
    el,
    draw: () => {
      const { state } = store;
      calm.hidden = state.lints.length > 0;
      list(lints, state.lints, (lint) => `${lint.kind} ${lint.actor}`, () => lintCard(), (card, lint) => showLint(card, lint, store.now()));
      if (state.totals) {
        tiles.draw(state.totals);
        ledger.draw(state.totals);
      }
      for (const one of tops) one.draw();
      list(servers, state.servers, (server) => server.name, (server) => h("a", { class: "chip", role: "listitem", href: "#/servers" },
        h("b", {}, server.name), h("span", { class: "dim" }, `${server.model} × ${server.place}`), h("span", { class: "num" })),
      (chip, server) => setText(/** @type {Element} */ (chip.lastElementChild),
        `${count(server.scores.active)} open · ${rate(store.rate(`requests ${server.name}`))}/s`));
    },
    leave: polled.end,
  };
}

/** The last reports; pages of their own, from where nothing leads back. */
function benchmarkList() {
  const reports = h("div", { class: "strip", role: "list" });
  const none = h("p", { class: "empty", "data-testid": "reports-none", hidden: true }, "No report is kept yet: ", h("code", {}, "palco bench switch"), " makes one.");
  return {
    el: panel("Benchmarks", {}, reports, none),
    /** @param {readonly Report[]} all */
    show: (all) => {
      none.hidden = all.length > 0;
      list(reports, all, (report) => report.topic,
        ({ topic }) => h("a", { class: "chip", role: "listitem", href: `/reports/${encodeURIComponent(topic)}`, target: "_blank", rel: "noopener", "data-testid": `report-${topic}` },
          h("b", {}, topic), h("span", { class: "dim num" }), h("span", {})), showReport);
    },
  };
}

/** @param {HTMLElement} chip @param {Report} report */
function showReport(chip, report) {
  const [, date, grade] = /** @type {HTMLElement[]} */ ([...chip.children]);
  if (!date || !grade) return;
  const { text, tone, about } = gradeText(report.grade);
  setText(date, reportDate(report));
  setText(grade, text);
  setAttr(grade, "data-tone", tone);
  setAttr(chip, "title", `${report.command}: ${about}`);
}

function lintCard() {
  return h("article", { class: "card lint", role: "listitem", "data-testid": "lint-card" },
    h("h3", {}, h("span", { "aria-hidden": "true" }, "▲ "), h("span", { class: "lint-title" }), h("span", { class: "dim lint-since num" })),
    h("a", { class: "actor-link", "data-testid": "lint-actor" }), h("p", { class: "lint-text" }),
    h("p", { class: "lint-todo" }, h("b", {}, "What to do: "), h("span", {})));
}

/** @param {HTMLElement} card @param {Lint} lint @param {number} now */
function showLint(card, lint, now) {
  const words = LINTS[lint.kind] ?? { title: lint.kind, todo: "Open the actor." };
  const part = (/** @type {string} */ query) => /** @type {HTMLElement} */ (card.querySelector(query));
  setAttr(card, "data-kind", lint.kind);
  setText(part(".lint-title"), words.title);
  setText(part(".lint-since"), ` since ${elapsed(Math.max(0, now - lint.since_ms))}`);
  setText(part(".actor-link"), lint.path);
  setAttr(part(".actor-link"), "href", `#/actor/${lint.actor}`);
  setText(part(".lint-text"), lint.text);
  setText(part(".lint-todo span"), words.todo);
}

/** @param {App} app */
function tileRow({ store }) {
  const spark = sparkline("messages handled each second, last 30 seconds", 120, 28);
  /** @param {string} title @param {string} id @param {...Element} more */
  const tile = (title, id, ...more) => {
    const value = h("div", { class: "tile-value num", "data-testid": `total-${id}` }, "–");
    return { value, el: h("div", { class: "tile" }, h("div", { class: "tile-title" }, title), value, ...more) };
  };
  const tiles = {
    rate: tile("messages/s", "rate", spark), actors: tile("actors", "actors"), queued: tile("queued", "queued"), threads: tile("threads", "threads"),
    processes: tile("processes", "processes"), restarts: tile("restarts", "restarts"), memory: tile("memory", "memory"), cpu: tile("CPU", "cpu"),
    up: tile("up for", "uptime"),
  };
  return {
    el: h("section", { class: "tiles", "aria-label": "totals" }, ...Object.values(tiles).map((t) => t.el)),
    /** @param {Totals} totals */
    draw: (totals) => {
      const { stage } = store.state;
      setText(tiles.rate.value, rate(store.rate("handled")));
      showSpark(spark, store.series("handled", SPARK_S));
      setText(tiles.actors.value, count(totals.actors));
      setText(tiles.queued.value, count(totals.queued));
      setText(tiles.threads.value, count(totals.threads));
      setText(tiles.processes.value, count(totals.processes));
      setText(tiles.restarts.value, count(totals.restarts));
      setText(tiles.memory.value, bytes(totals.rss_bytes));
      setText(tiles.cpu.value, percent(store.rate("cpu"), 1000));
      const started = stage ? Date.parse(stage.started_at) : NaN;
      const up_s = Number.isNaN(started) ? (stage?.uptime_s ?? 0) : Math.max(0, (Date.now() - started) / 1000);
      setText(tiles.up.value, duration(Math.floor(up_s) * 1e6).replace(/\.\d+|(?<=min).*$/, ""));
    },
  };
}

function ledgerBar() {
  const sum = h("p", { class: "ledger-sum num", "data-testid": "ledger" });
  const bar = h("div", { class: "ledger-bar", "aria-hidden": "true" });
  const legend = h("div", { class: "ledger-legend" });
  const parts = LEDGER.map(([key, title, about]) => {
    const piece = h("div", { class: "piece", "data-part": key, title: `${title}: ${about}` });
    const value = h("span", { class: "num" });
    bar.append(piece);
    legend.append(h("span", { title: about }, h("span", { class: "swatch", "data-part": key, "aria-hidden": "true" }), `${title} `, value));
    return { key, piece, value };
  });
  return {
    el: panel("Every message is accounted for", { class: "ledger" }, bar, legend, sum),
    /** @param {Totals} totals */
    draw: (totals) => {
      const all = Math.max(1, totals.sent);
      for (const { key, piece, value } of parts) {
        const n = Number(totals[key]);
        // A part that is small but there is seen.
        setVar(piece, "--share", n === 0 ? 0 : Math.max(0.012, n / all).toFixed(4));
        setText(value, `${count(n)} (${percent(n, totals.sent)})`);
      }
      setAttr(sum, "data-tone", totals.balanced ? "good" : "warn");
      setText(sum, `${totals.balanced ? "✓ balanced" : "◐ not balanced while it moves"}: ${count(totals.sent)} sent = ${count(totals.handled)} handled + ${count(totals.queued)} queued + ${count(totals.dropped)} dropped + ${count(totals.in_flight)} in flight`);
    },
  };
}

/**
 * @param {App} app @param {string} title @param {string} id @param {(actor: ActorView) => number|null|undefined} value
 * @param {(value: number, actor: ActorView) => string} text
 */
function topList({ store }, title, id, value, text) {
  const rows = h("ol", { class: "top-list", "data-testid": `top-${id}` });
  const none = h("p", { class: "empty" }, "none");
  return {
    el: panel(title, {}, rows, none),
    draw: () => {
      const best = top(store.state.actors.values(), value, TOP);
      none.hidden = best.length > 0;
      list(rows, best, ({ item }) => item.id,
        ({ item }) => h("li", {}, statusBadge(), actorLink(item.id, item.path, { title: item.path }), h("span", { class: "num" })),
        (row, { item, value: n }) => {
          showStatus(/** @type {Element} */ (row.firstElementChild), item.status);
          setText(/** @type {Element} */ (row.lastElementChild), text(n, item));
          setAttr(row, "title", item.message ? `${item.message} ${item.note ?? ""}` : ago(store.state.at_ms, store.now()));
        });
    },
  };
}
