// Questions and orders to the stage. What goes wrong is an error with a hint about what to do.
/** @import { ActionAnswer, ActorPage, Capture, Flow, LoadView, RegisterAct, RegisterDone, RegisterKeys, Registers, RegisterWish, Reports, RequestDone, Requests, RequestVerb, ServiceChanges, Services, SnapshotBody, Waits } from "./types.js" */

export class ApiError extends Error {
  /** @param {string} message @param {string} hint @param {number} status */
  constructor(message, hint, status) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}

/**
 * @param {string} path @param {RequestInit} [init] @returns {Promise<any>}
 */
async function request(path, init = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError("The stage does not answer.", "Is `palco up` still running?", 0);
  }
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  throw new ApiError(body?.error ?? `The stage answered ${response.status}.`, body?.hint ?? "", response.status);
}

/** @param {string} path @param {unknown} [body] */
function post(path, body) {
  const headers = { "content-type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
}

/** @returns {Promise<SnapshotBody>} */
export const snapshot = () => request("/api/snapshot");

/** @param {number} id @param {AbortSignal} [signal] @returns {Promise<ActorPage>} */
export const actor = (id, signal) => request(`/api/actors/${id}?within_ms=300`, { signal });

/** @param {number} id @param {string} action @returns {Promise<ActionAnswer>} */
export const act = (id, action) => post(`/api/actors/${id}/${action}`, { within_ms: 1000 });

/** @param {AbortSignal} [signal] @returns {Promise<Waits>} */
export const waits = (signal) => request("/api/waits", { signal });

/** @param {AbortSignal} [signal] @returns {Promise<Flow>} */
export const flow = (signal) => request("/api/flow", { signal });

/** @param {number} window_ms @param {AbortSignal} [signal] @returns {Promise<Capture>} */
export const capture = (window_ms, signal) => request(`/api/capture?window_ms=${window_ms}&format=json`, { signal });

/** @param {{ server: string, connections: number, rate_per_s: number, seconds: number, request?: string }} load @returns {Promise<LoadView>} */
export const startLoad = (load) => post("/api/load", load);

/** @returns {Promise<{ loads: LoadView[] }>} */
export const loads = () => request("/api/load");

/** @param {string} server @returns {Promise<LoadView>} */
export const stopLoad = (server) => request(`/api/load/${encodeURIComponent(server)}`, { method: "DELETE" });

/** @param {AbortSignal} [signal] @returns {Promise<Requests>} */
export const requests = (signal) => request("/api/requests", { signal });

/** @param {string} name as `work/17.2` @param {RequestVerb} verb @returns {Promise<RequestDone>} */
export const actOnRequest = (name, verb) => post("/api/requests/act", { request: name, verb });

/** @param {AbortSignal} [signal] @returns {Promise<Reports>} */
export const reports = (signal) => request("/api/reports", { signal });

/** @param {AbortSignal} [signal] @returns {Promise<Services>} */
export const services = (signal) => request("/api/services", { signal });

/** @returns {Promise<ServiceChanges>} */
export const reloadServices = () => post("/api/services/reload");

/** @param {AbortSignal} [signal] @returns {Promise<Registers>} */
export const registers = (signal) => request("/api/registers", { signal });

/** @param {string} query as `key=x` or `from=0` @param {AbortSignal} [signal] @returns {Promise<RegisterKeys>} */
export const registerKeys = (query, signal) => request(`/api/registers/keys?${query}`, { signal });

/** @param {{ key: string, act: RegisterAct, through?: string }} order @returns {Promise<RegisterDone>} */
export const runOnRegister = (order) => post("/api/registers/run", order);

/** @returns {Promise<{ node: number, name: string }>} */
export const addNode = () => post("/api/registers/nodes");

/** @param {string} name @param {string} action @returns {Promise<{ effects: import("./types.js").Effect[] }>} */
export const actOnNode = (name, action) => post(`/api/registers/nodes/${encodeURIComponent(name)}/${action}`);

/** @param {string} one @param {string} other @param {boolean} cut */
export const cutNodes = (one, other, cut) => post("/api/registers/cuts", { one, other, cut });

/** @param {RegisterWish} wish @returns {Promise<{ changes: { shard: number, text: string }[] }>} */
export const reconfigure = (wish) => post("/api/registers/reconfigure", wish);

/**
 * Asks again and again until it is ended. An answer is waited for before the next question.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} ask @param {number} every_ms @param {(answer: T) => void} use
 * @param {(error: Error) => void} fail @returns {{ now: () => void, end: () => void }}
 */
export function poll(ask, every_ms, use, fail) {
  const stop = new AbortController();
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  let isAsking = false;
  const next = async () => {
    clearTimeout(timer);
    if (isAsking || stop.signal.aborted) return;
    isAsking = true;
    try {
      if (!document.hidden) {
        const answer = await ask(stop.signal);
        if (!stop.signal.aborted) use(answer);
      }
    } catch (error) {
      if (!stop.signal.aborted) fail(/** @type {Error} */ (error));
    }
    isAsking = false;
    if (!stop.signal.aborted) timer = setTimeout(next, every_ms);
  };
  next();
  return {
    now: next,
    end: () => {
      stop.abort();
      clearTimeout(timer);
    },
  };
}
