// Numbers, durations, sizes, moments and exit reasons as short text. An unknown value is a dash.
/** @import { ExitReason } from "../types.js" */

export const NONE = "–";
const SPACE = "\u00a0";

/** Three digits that matter. @param {number} value */
function short(value) {
  if (value >= 99.95) return String(Math.round(value));
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** @param {number|null|undefined} us */
export function duration(us) {
  if (us == null || !Number.isFinite(us)) return NONE;
  if (us <= 0) return `0${SPACE}µs`;
  if (us < 999.5) return `${us < 10 && us % 1 ? us.toFixed(1) : Math.round(us)}${SPACE}µs`;
  if (us < 999_500) return `${short(us / 1e3)}${SPACE}ms`;
  if (us < 59_950_000) return `${short(us / 1e6)}${SPACE}s`;
  const s = Math.round(us / 1e6);
  if (s < 3600) return `${Math.floor(s / 60)}${SPACE}min${SPACE}${pad(s % 60)}${SPACE}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}${SPACE}h${SPACE}${pad(Math.floor((s % 3600) / 60))}${SPACE}min`;
  return `${Math.floor(s / 86_400)}${SPACE}d${SPACE}${Math.floor((s % 86_400) / 3600)}${SPACE}h`;
}

/** For what is shown while it grows: tenths of a second. @param {number|null|undefined} ms */
export function elapsed(ms) {
  if (ms == null) return NONE;
  return ms < 59_950 ? `${(ms / 1000).toFixed(1)}${SPACE}s` : duration(ms * 1000);
}

/** @param {number} n */
function pad(n) {
  return String(n).padStart(2, "0");
}

/** @param {number|null|undefined} value */
export function bytes(value) {
  if (value == null) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let rest = value;
  while (rest >= 1023.5 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? rest : short(rest)}${SPACE}${units[unit]}`;
}

/** A whole number with its thousands apart. @param {number|null|undefined} value */
export function count(value) {
  if (value == null) return NONE;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A number in few characters. @param {number|null|undefined} value */
export function brief(value) {
  if (value == null) return NONE;
  if (value < 9_999.5) return String(Math.round(value));
  if (value < 999_500) return `${short(value / 1e3)}k`;
  return value < 999_500_000 ? `${short(value / 1e6)}M` : `${short(value / 1e9)}G`;
}

/** @param {number} perSecond */
export function rate(perSecond) {
  if (perSecond > 0 && perSecond < 9.95) return perSecond.toFixed(1);
  return brief(perSecond);
}

/** @param {number} part @param {number} whole */
export function percent(part, whole) {
  if (whole <= 0) return NONE;
  const share = (100 * part) / whole;
  return `${share > 0 && share < 9.95 ? share.toFixed(1) : Math.round(share)}${SPACE}%`;
}

/** How long ago, seen from the stage's own clock. @param {number} at_ms @param {number} now_ms */
export function ago(at_ms, now_ms) {
  const s = Math.max(0, Math.floor((now_ms - at_ms) / 1000));
  return s < 1 ? "now" : `${duration(s * 1e6).replace(/\.\d+/, "")} ago`;
}

/** The time of day of a moment on the stage's clock. @param {number} at_ms @param {number} now_ms @param {number} wall_ms */
export function timeOfDay(at_ms, now_ms, wall_ms) {
  const date = new Date(at_ms > 1e12 ? at_ms : wall_ms - (now_ms - at_ms));
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${Math.floor(date.getMilliseconds() / 100)}`;
}

const SIGNALS = new Map([
  [1, "SIGHUP"], [2, "SIGINT"], [3, "SIGQUIT"], [4, "SIGILL"], [5, "SIGTRAP"], [6, "SIGABRT"], [7, "SIGBUS"],
  [8, "SIGFPE"], [9, "SIGKILL"], [11, "SIGSEGV"], [13, "SIGPIPE"], [15, "SIGTERM"], [24, "SIGXCPU"], [31, "SIGSYS"],
]);

/** As the runtime says it. @param {ExitReason|null|undefined} reason @returns {string} */
export function exitReason(reason) {
  if (!reason) return NONE;
  const detail = /** @type {any} */ (reason.detail);
  switch (reason.kind) {
    case "failed": return `failed: ${detail}`;
    case "start_failed": return `failed to start: ${detail}`;
    case "panicked": return `panicked: ${detail}`;
    case "escalated": return `gave up on ${detail?.child}, which ${exitReason(detail?.reason)}`;
    case "exited": return `exited with status ${detail}`;
    case "signaled": {
      const name = SIGNALS.get(detail?.signal);
      return `ended by signal ${detail?.signal}${name ? ` (${name})` : ""}${detail?.core ? ", core written" : ""}`;
    }
    case "out_of_memory": return "ended: out of memory";
    case "denied": return `ended: system call ${detail} denied`;
    case "unresponsive": return "killed: unresponsive";
    case "node_lost": return "lost with its node";
    default: return reason.kind;
  }
}

/** Whether a supervisor that restarts on failure restarts after this. @param {ExitReason|null|undefined} reason */
export function isFailure(reason) {
  if (!reason || ["finished", "stopped", "recycled"].includes(reason.kind)) return false;
  return !(reason.kind === "exited" && reason.detail === 0);
}

/** The last part of a path. @param {string} path */
export function lastName(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
