// Requests that are being served, in the words and colours of the page, and in an order that does not run away.
/** @import { RequestAnswer, RequestState, RequestVerb, RequestView, ServerView, Urgent } from "../types.js" */

/** @type {Record<RequestState, { shape: string, tone: string, about: string }>} */
export const REQUEST_STATES = {
  running: { shape: "●", tone: "good", about: "It is being served." },
  held: { shape: "■", tone: "warn", about: "It rests until it is resumed: not a byte of its answer leaves." },
  queued: { shape: "○", tone: "calm", about: "One before it on the same connection is being served." },
  finished: { shape: "✕", tone: "dead", about: "It has been answered, given up, or lost with its connection." },
  "not-found": { shape: "?", tone: "dead", about: "There is no such request." },
};

export const NICE_MIN = -20;
export const NICE_MAX = 19;

/** What has been asked about a request, and what came of it. @typedef {{ verb: RequestVerb, answer?: RequestAnswer, error?: string, at_ms: number }} Word */

/**
 * A request with its place in the table.
 * @typedef {object} Row
 * @property {string} key
 * @property {RequestView} view as it was seen last
 * @property {number} seen_ms when that was
 * @property {boolean} isOver it is no longer among those that are being served
 */

/** Rows of requests that are over are kept at most so many: nobody reads more. */
const OVER_MAX = 200;
/** How long the answer about a request that is over can be read. */
export const LINGER_MS = 10_000;

/**
 * The rows after another look. Whoever was there keeps its place, and newcomers come below: so no button moves away under
 * the mouse. Those that are over go when nobody points at the table and their last word has been there to be read.
 * @param {readonly Row[]} rows @param {readonly RequestView[]} views the longest first @param {number} now_ms
 * @param {{ isPointedAt: boolean, words: ReadonlyMap<string, Word> }} attention @returns {Row[]}
 */
export function arranged(rows, views, now_ms, { isPointedAt, words }) {
  const fresh = new Map(views.map((view) => [view.request, view]));
  /** @param {Row} row */
  const stays = (row) => isPointedAt || now_ms - (words.get(row.key)?.at_ms ?? -Infinity) < LINGER_MS;
  /** @type {Row[]} */
  const kept = [];
  for (const row of rows) {
    const view = fresh.get(row.key);
    fresh.delete(row.key);
    if (view) kept.push({ ...row, view, seen_ms: now_ms, isOver: false });
    else if (stays(row)) kept.push({ ...row, seen_ms: row.isOver ? row.seen_ms : now_ms, isOver: true });
  }
  for (const [key, view] of fresh) kept.push({ key, view, seen_ms: now_ms, isOver: false });
  let tooMany = kept.filter(({ isOver }) => isOver).length - OVER_MAX;
  return kept.filter(({ isOver }) => !isOver || (tooMany -= 1) < 0);
}

/** For how long it has been served, or had been. @param {Row} row @param {number} now_ms */
export function ageOf(row, now_ms) {
  return row.view.age_ms + (row.isOver ? 0 : Math.max(0, now_ms - row.seen_ms));
}

/** @param {Row} row @returns {RequestState} */
export function stateOf(row) {
  return row.isOver ? "finished" : row.view.state;
}

/** What the one button for both does now: a hold that has not come about yet can be taken back. @param {Row} row @param {Word|undefined} word @returns {"hold"|"resume"} */
export function holdOrResume(row, word) {
  const isAwaited = word?.verb === "hold" && word.answer !== undefined && isPending(word.answer);
  return row.view.state === "held" || isAwaited ? "resume" : "hold";
}

/** @param {RequestAnswer} answer */
function isPending(answer) {
  return typeof answer.remark === "object" && "pending" in answer.remark;
}

/** @param {RequestVerb} verb */
export function verbText(verb) {
  return typeof verb === "object" ? `nice ${verb.priority}` : verb;
}

/** What came of it, so that what is pending cannot be taken for done. @param {Word|undefined} word @returns {{ text: string, tone: "good"|"warn"|"bad"|"calm" }} */
export function wordText(word) {
  if (!word) return { text: "", tone: "calm" };
  const verb = verbText(word.verb);
  if (word.error !== undefined) return { text: `✕ ${verb}: ${word.error}`, tone: "bad" };
  if (!word.answer) return { text: `◔ ${verb} …`, tone: "calm" };
  const { state, remark } = word.answer;
  if (typeof remark === "object" && "pending" in remark) return { text: `◐ ${verb} pending: ${remark.pending}`, tone: "warn" };
  const words = state === "not-found" ? "not found" : state;
  const note = typeof remark === "object" ? `: ${remark.note}` : "";
  const isThere = state !== "not-found" && !(state === "finished" && word.verb !== "cancel");
  return isThere ? { text: `✓ ${words}${note}`, tone: "good" } : { text: `○ ${verb} came too late: ${words}${note}`, tone: "calm" };
}

/** How the urgent port is, in a sentence. @param {Urgent|null} urgent @returns {{ text: string, tone: "good"|"warn"|"calm" }} */
export function urgentText(urgent) {
  if (!urgent) return { text: "○ No urgent port is open: clients have no tickets for their requests. Who has this page's token can act on them all the same.", tone: "calm" };
  const isLess = urgent.obtained.includes("(");
  const thread = urgent.obtained ? `; its thread runs with ${urgent.obtained}` : "";
  return { text: `${isLess ? "▲" : "●"} The urgent port listens at ${urgent.address}${thread}.`, tone: isLess ? "warn" : "good" };
}

/** A server whose requests can take long: best one that serves many at once. @param {readonly ServerView[]} servers */
export function workServer(servers) {
  const able = servers.filter(({ service }) => service === "work");
  return able.find(({ model, place }) => model !== "iterative" && place !== "task") ?? able[0] ?? null;
}

/** Things to type into a terminal: what each is for, and how it is written. @param {ServerView|null} server @param {boolean} isOpen whether there is an urgent port @returns {{ about: string, text: string }[]} */
export function examples(server, isOpen) {
  if (!server) return [];
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(server.address) ?? [];
  const first = { about: "A request that takes half a minute. Hold it here: it makes no progress, and its answer is the same.", text: `palco call ${server.name} --cpu 30s` };
  if (!isOpen) return [first];
  const urgent = `python3 -c 'import socket, time; s = socket.create_connection(("${host}", ${port})); s.send(b"sleep 60000\\n"); time.sleep(5); s.send(b"K", socket.MSG_OOB); print(s.recv(99))'`;
  return [
    first,
    { about: "The same by whoever has the ticket of a request.", text: "palco urgent hold TICKET" },
    { about: "By TCP urgent data on the connection itself: H holds, R resumes, K cancels. This one gives up its own request after 5 s.", text: urgent },
  ];
}
