// What the superserver says about its services, in the words and colours of the page.
/** @import { Moment, Service, ServiceChanges, ServiceEntry, ServiceInstance, ServiceLimit, Services } from "../types.js" */

/** A row for each thing that a service has several of. @template T @typedef {T & { service: string, key: string }} Of */

/** Milliseconds since 1970. @param {Moment} moment */
export function moment(moment) {
  return moment.secs_since_epoch * 1000 + moment.nanos_since_epoch / 1e6;
}

/** @param {{ secs: number, nanos: number }} span in microseconds */
export function micros(span) {
  return span.secs * 1e6 + span.nanos / 1000;
}

/** The state of a service with a shape and a tone, so that it can be seen without colour. @param {string} state */
export function serviceState(state) {
  const [shape, tone] = state === "listening" || state.startsWith("through ") ? ["●", "good"]
    : state.startsWith("closed") ? ["▲", "warn"]
      : state.startsWith("off") ? ["✕", "bad"] : ["○", "calm"];
  return { text: `${shape} ${state}`, tone };
}

/** The word of the log, and the rest of the line as the log itself writes it. @param {ServiceEntry} entry */
export function entryText(entry) {
  const { event } = entry;
  const pid = "pid" in event && event.pid != null ? ` pid=${event.pid}` : "";
  const from = "from" in event && event.from != null ? ` from=${event.from}` : "";
  switch (event.event) {
    case "start": return { word: "START", text: `${pid}${from}`.trim() };
    case "exit": return { word: "EXIT", text: `${event.how}${pid} duration=${Math.floor(event.duration_ms / 1000)}(sec)` };
    case "fail": return { word: "FAIL", text: `${event.reason}${from}` };
    case "listen": return { word: "LISTEN", text: event.address };
    case "close": return { word: "CLOSE", text: event.why };
    // Of a later version.
    default: return { word: String(/** @type {any} */ (event).event).toUpperCase(), text: "" };
  }
}

/** @param {ServiceChanges} changes */
export function changesText(changes) {
  const parts = /** @type {const} */ (["added", "changed", "removed"]).filter((what) => changes[what].length > 0);
  return parts.map((what) => `${what} ${changes[what].join(", ")}`).join("; ") || "nothing has changed";
}

/** @param {string} how whether an instance has ended as programs do that have no complaint */
export function isCleanEnd(how) {
  return how === "status=0" || how.startsWith("status=0 ");
}

/** Those of the chosen service, or of all. @param {readonly Service[]} services @param {string} chosen an id, or nothing */
export function among(services, chosen) {
  return services.filter((service) => !chosen || service.id === chosen);
}

/** @param {readonly Service[]} services @returns {Of<ServiceInstance>[]} */
export function instances(services) {
  return services.flatMap(({ id, instances: all }) => all.map((one) => ({ ...one, service: id, key: one.actor })));
}

/** Limits that have done something, the latest first. @param {readonly Service[]} services @returns {Of<ServiceLimit>[]} */
export function acted(services) {
  const all = services.flatMap(({ id, limits }) => limits.filter((limit) => limit.times > 0)
    .map((limit) => ({ ...limit, service: id, key: `${id} ${limit.limit}` })));
  return all.sort((a, b) => (b.last ? moment(b.last) : 0) - (a.last ? moment(a.last) : 0));
}

/** The latest first. @param {readonly Service[]} services @param {number} most */
export function ends(services, most) {
  const all = services.flatMap(({ id, ends: own }) => own.map((end) => ({ ...end, service: id, at_ms: moment(end.at) })));
  return keyed(all.sort((a, b) => b.at_ms - a.at_ms).slice(0, most), (end) => `${end.service} ${end.at_ms} ${end.pid ?? ""}`);
}

/** The latest first. @param {Services} status @param {string} chosen @param {number} most */
export function logLines(status, chosen, most) {
  const wanted = status.log.filter((entry) => !chosen || entry.service === chosen).slice(-most).reverse();
  const lines = wanted.map((entry) => ({ service: entry.service, at_ms: moment(entry.at), ...entryText(entry) }));
  return keyed(lines, (line) => `${line.at_ms} ${line.service} ${line.word} ${line.text}`);
}

/**
 * Gives each item a key of its own: what is said twice is numbered from the oldest on, which comes last.
 * @template T @param {T[]} items @param {(item: T) => string} keyOf @returns {(T & { key: string })[]}
 */
function keyed(items, keyOf) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return items.reverse().map((item) => {
    const base = keyOf(item);
    const nth = (seen.get(base) ?? 0) + 1;
    seen.set(base, nth);
    return { ...item, key: `${base} ${nth}` };
  }).reverse();
}
