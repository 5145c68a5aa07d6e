// Requests that nobody has made, beside the made-up stage.

/** @typedef {import("../assets/types.js").RequestView} RequestView */
/** @typedef {import("../assets/types.js").RequestVerb} RequestVerb */
/** @typedef {import("../assets/types.js").RequestAnswer} RequestAnswer */

const HOG = "no checkpoint within 300 ms: it has been running for 4312 ms, and what runs between two checkpoints cannot be stopped in place thread";

/** @param {string} request @param {Partial<RequestView>} [more] @returns {RequestView} */
export function request(request, more) {
  return { request, state: "running", age_ms: 1000, peer: "127.0.0.1:40312", place: "thread", actor: "work-threads/dispatcher", nice: null, ...more };
}

export class FakeRequests {
  constructor() {
    this.began = Date.now();
    /** @type {Map<string, RequestView>} */
    this.all = new Map([
      request("work-threads/17.2", { age_ms: 83_000 }), request("work-threads/18.1", { age_ms: 41_000, state: "held", peer: "[2001:db8::17]:40313" }),
      request("work-loop/3.912", { age_ms: 12_400, place: "task", actor: "work-loop/dispatcher", nice: 5 }), request("work-iterative/4.1", { age_ms: 4000, actor: "work-iterative/dispatcher" }),
      request("http/99.1", { age_ms: 300, place: "process", actor: null, peer: null }),
    ].map((view) => [view.request, view]));
  }

  list() {
    const passed = Date.now() - this.began;
    const requests = [...this.all.values()].map((view) => ({ ...view, age_ms: view.age_ms + passed }));
    const servers = ["echo", "work-threads", "work-loop", "work-iterative", "http"].map((name) => ({ name, requests: requests.filter((view) => view.request.startsWith(`${name}/`)).length }));
    const counts = { heard: 4, port: { connections: 9, evicted: 0, commands: 12, wrong_keys: 3, waits: 0, malformed: 1 } };
    const obtained = "nice -20 (SCHED_FIFO 50 was refused: Operation not permitted (os error 1); give the server CAP_SYS_NICE or RLIMIT_RTPRIO (ulimit -r), or choose `usual`)";
    return { urgent: { address: "127.0.0.1:7009", obtained, counts }, servers, requests, more: 0 };
  }

  /** @param {{ request: string, verb: RequestVerb }} order */
  act({ request, verb }) {
    return { request, verb, answer: this.#answer(request, verb) };
  }

  /** @param {string} request @param {RequestVerb} verb @returns {RequestAnswer} */
  #answer(request, verb) {
    const view = this.all.get(request);
    if (!view) return { state: "finished", remark: "none" };
    if (typeof verb === "object") {
      view.nice = verb.priority;
      return { state: view.state, remark: { note: `nice ${verb.priority} for thread 4711` } };
    }
    if (request.startsWith("work-iterative")) return { state: "running", remark: { pending: HOG } };
    if (verb === "cancel") this.all.delete(request);
    else if (verb !== "status") view.state = verb === "hold" ? "held" : "running";
    return { state: verb === "cancel" ? "finished" : view.state, remark: "none" };
  }
}
