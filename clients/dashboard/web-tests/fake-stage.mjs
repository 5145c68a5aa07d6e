// A stage that is not one: actors, servers and messages made up for working on the page without the back end.

/** Random numbers that are the same every time. @param {number} seed */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** @typedef {any} Any the shapes are those of the contract, and are checked where the page uses them */

const SERVERS = [
  ["echo", "echo", "team", "thread", 8, "prethreaded pool"], ["kv", "kv", "per-connection", "task", null, "event loop, one state machine per client"],
  ["kv-prefork", "kv", "team", "process", 4, "prefork"], ["work-iterative", "work", "iterative", "thread", null, "iterative server"],
  ["work-loop", "work", "per-connection", "task", null, "event loop"], ["work-threads", "work", "per-connection", "thread", null, "thread per connection"],
  ["http", "http", "team", "task", 2, "n event loops"],
];

export class FakeStage {
  /** @param {{ fillers?: number, canAct?: boolean, seed?: number }} [options] */
  constructor({ fillers = 40, canAct = true, seed = 7 } = {}) {
    this.rand = random(seed);
    this.seq = 0;
    /** @type {number} */ this.nextId = 1;
    this.startedAt = Date.now();
    /** @type {Map<number, Any>} */ this.actors = new Map();
    /** @type {Any[]} */ this.lints = [];
    /** @type {Any[]} */ this.log = [];
    /** @type {Any[]} */ this.letters = [];
    /** @type {Map<string, Any>} */ this.loads = new Map();
    /** @type {Set<number>} */ this.ended = new Set();
    this.stage = { version: "0.1.0", pid: 4242, uptime_s: 0, started_at: new Date().toISOString(), event_loops: 2, can_act: canAct, superserver: true, registers: true, demo: null };
    this.servers = SERVERS.map(([name, service, model, place, workers, classic], i) => this.#server(String(name), service, model, place, workers, classic, 7001 + i));
    this.#troubles();
    const inetd = this.add("inetd", null, "Supervisor", "task");
    this.instances = ["192.0.2.7:40312", "192.0.2.8:40313"].map((peer) => `inetd/ftp/tcp:0.0.0.0:21/${peer}`);
    for (const path of this.instances) this.add(path, inetd, "Instance", "task", { status: "busy", message: "Serve", running_ms: 700 });
    const pool = this.add("pool", null, "Supervisor", "task");
    for (let i = 0; i < fillers; i += 1) this.add(`pool/worker-${i}`, pool, "Worker", "task", { pace: this.rand() * 40 });
  }

  now() {
    return Date.now();
  }

  /** @param {string} path @param {Any|null} parent @param {string} type @param {string} place @param {Any} [more] */
  add(path, parent, type, place, more = {}) {
    /** @type {number} */ const id = this.nextId;
    this.nextId += 1;
    const process = place === "process" ? { pid: 5000 + id, rss_bytes: 9_000_000 + id * 4096, cpu_ms: 40, age_ms: 1000, recycled: id % 3, confinement: "no files (landlock), no TCP, no new processes, 1 GiB, 64 descriptors" } : null;
    /** @type {Any} */ const actor = { id, path, parent: parent?.id ?? null, actor_type: type, place, thread: place === "thread" ? 4300 + id : null, process, status: "idle", message: null, note: null, running_ms: null,
      queued: 0, urgent: 0, capacity: 1024, sent: 0, handled: 0, dropped: [], restart: parent ? "on_failure" : "never", restarts: 0, last_exit: null, pace: 0, ...more };
    this.actors.set(id, actor);
    return actor;
  }

  /** @param {string} name @param {Any} service @param {Any} model @param {Any} place @param {Any} workers @param {Any} classic @param {number} port */
  #server(name, service, model, place, workers, classic, port) {
    const supervisor = this.add(name, null, "Supervisor", "task");
    for (let i = 0; i < (workers ?? 1); i += 1) {
      this.add(`${name}/${workers ? `worker-${i}` : "dispatcher"}`, supervisor, "Acceptor", place, { status: "busy", message: "Serve", note: "accepting", running_ms: 1600, sent: 1, startedRunning: Date.now() - 1600 });
    }
    /** @type {Any} */ const scores = Object.fromEntries(["accepted", "active", "requests", "deferred", "dropped", "closed", "failed", "accept_errors", "shed", "header_timeouts", "body_timeouts", "idle_timeouts", "handler_timeouts", "send_timeouts", "worker_timeouts", "done", "drained", "malformed", "panicked", "interrupted", "broken", "timed_out", "abandoned"].map((key) => [key, 0]));
    Object.assign(scores, { accepted: 40 + port % 9, active: port % 7, done: 33, broken: port % 3, deferred: port % 2 ? 0 : 4 });
    return { name, service, model, place, workers, accept_by: workers ? "workers" : null, address: `127.0.0.1:${port}`, classic_name: classic, command: `palco call ${name} hello`, supervisor: supervisor.id, scores, cpu_ms: 100, limits: { connections_max: 1024, action: "defer" } };
  }

  #troubles() {
    const now = Date.now();
    const app = this.add("app", null, "Supervisor", "task");
    this.stuck = this.add("app/resizer", app, "Resizer", "task", { status: "busy", message: "Resize", note: null, running_ms: 4000, startedRunning: now - 4000, queued: 37, sent: 120, handled: 82 });
    this.hog = this.add("app/hog", app, "Hog", "thread", { status: "busy", message: "Spin", running_ms: 2500, startedRunning: now - 2500, queued: 2, sent: 9, handled: 6, deaf: true });
    this.left = this.add("app/left", app, "Ledger", "task", { status: "busy", message: "Transfer", running_ms: 9000, startedRunning: now - 9000, sent: 5, handled: 4 });
    this.right = this.add("app/right", app, "Ledger", "task", { status: "busy", message: "Transfer", running_ms: 9000, startedRunning: now - 9000, sent: 5, handled: 4 });
    this.sink = this.add("app/slow-sink", app, "Sink", "thread", { pace: 30, queued: 600, sent: 700, handled: 100, grows: true, wait: { count: 100, p50_us: 65536, p99_us: 1048576 } });
    this.flaky = this.add("app/flaky", app, "Flaky", "process", { restarts: 6, last_exit: { kind: "panicked", detail: "index out of bounds: the len is 3 but the index is 3" } });
    this.add("app/<img src=x onerror=alert(1)>", app, "Nasty", "task", { pace: 3 });
    this.add("app/fiber", app, "Echo", "fiber", { pace: 5 });
    this.add("app/old", app, "Old", "task", { status: "ended", last_exit: { kind: "failed", detail: "no such table" } });
    this.add("app/held", app, "Held", "task", { status: "suspended", message: "Print", queued: 12, sent: 13 });
    const lint = (/** @type {string} */ kind, /** @type {Any} */ actor, /** @type {string} */ text) => this.lints.push({ kind, actor: actor.id, path: actor.path, text, since_ms: now - 3000 });
    lint("slow-handler", this.stuck, "Resize has been running on loop 1 for more than 100 ms without an await point; 14 other actors of the loop wait.");
    lint("deadlock", this.left, "app/left asks app/right (Transfer), which asks app/left (Transfer).");
    lint("growing-mailbox", this.sink, "Its mailbox has grown for 10 s: 600 of 1024.");
    lint("restart-storm", this.flaky, "6 restarts in 10 s, each time: panicked.");
    for (let i = 0; i < 12; i += 1) {
      const kinds = ["restarted", "failed", "ended", "recycled", "action"];
      this.note(kinds[i % 5] ?? "ended", this.flaky, i % 5 === 4 ? "suspend: done" : "panicked: index out of bounds: the len is 3 but the index is 3", i % 5 === 4 ? "dashboard 127.0.0.1" : undefined);
      this.letters.push({ at_ms: now - 12000 + i * 900, to: "app/old", message: "Query", reason: i % 2 ? "actor failed" : "asker gone" });
    }
  }

  /** @param {string} kind @param {Any} actor @param {string} text @param {string} [who] */
  note(kind, actor, text, who) {
    this.seq += 1;
    const entry = { seq: this.seq, at_ms: Date.now(), kind, actor: actor.id, path: actor.path, text, ...(who ? { who } : {}) };
    this.log.push(entry);
    this.log = this.log.slice(-200);
    return entry;
  }

  /** One of each grade, and one whose words mean harm. */
  reports() {
    const report = (/** @type {string} */ topic, /** @type {string} */ grade, date = "2026-03-01T12:00:00Z") => ({ topic, date, grade, command: `palco bench ${topic}`, address: `/reports/${topic}` });
    return [report("create", "C"), report("memory", "B"), report("switch", "A"), report("<img src=x onerror=alert(1)>", "?", "")];
  }

  totals() {
    const sum = { sent: 0, handled: 0, dropped: 0, queued: 0, in_flight: 0, restarts: 0, actors: 0, processes: 0 };
    for (const a of this.actors.values()) {
      sum.handled += a.handled;
      sum.queued += a.queued;
      sum.in_flight += a.message && a.status !== "ended" ? 1 : 0;
      sum.restarts += a.restarts;
      sum.actors += a.status === "ended" ? 0 : 1;
      sum.processes += a.process?.pid ? 1 : 0;
    }
    sum.dropped = this.letters.length;
    sum.sent = sum.handled + sum.queued + sum.dropped + sum.in_flight;
    return { ...sum, threads: 19, balanced: true, rss_bytes: 48_000_000, cpu_ms: Math.round((Date.now() - this.startedAt) * 0.13) };
  }

  /** @param {Any} actor */
  view(actor) {
    const { pace: _pace, grows: _grows, startedRunning, deaf: _deaf, ...view } = actor;
    return { ...view, running_ms: startedRunning && view.message ? Date.now() - startedRunning : view.message ? 500 : null };
  }

  snapshot() {
    const observed = { seq: this.seq, at_ms: Date.now(), totals: this.totals(), actors: [...this.actors.values()].map((a) => this.view(a)), lints: this.lints, log: this.log, dead_letters: this.letters };
    return { stage: { ...this.stage, uptime_s: (Date.now() - this.startedAt) / 1000 }, observed, servers: this.servers };
  }

  /** A quarter of a second. @returns {Any} a delta */
  tick() {
    const changed = [];
    for (const a of this.actors.values()) {
      if (a.pace <= 0 || a.status !== "idle" && a.status !== "busy") continue;
      const more = Math.floor(a.pace / 4 + this.rand());
      a.sent += more;
      if (a.grows) a.queued = Math.min(1024, a.queued + 1);
      a.handled = a.sent - a.queued;
      if (!a.wait && a.handled > 5) a.wait = { count: a.handled, p50_us: 2 ** Math.floor(this.rand() * 6), p99_us: 2 ** Math.floor(6 + this.rand() * 6) };
      a.handle = { count: a.handled, p50_us: 2 ** Math.floor(2 + this.rand() * 2), p99_us: 256 };
      if (!a.grows) a.queued = this.rand() < 0.1 ? Math.floor(this.rand() * 40) : 0;
      changed.push(this.view(a));
    }
    if (this.stuck.message) this.stuck.queued += 1;
    this.stuck.sent += 1;
    changed.push(this.view(this.stuck));
    for (const server of this.servers) {
      const load = this.loads.get(server.name);
      const more = load?.running ? Math.round(load.per_s / 4) : Math.floor(this.rand() * 20);
      server.scores.requests += more;
      server.cpu_ms += more / 20;
      if (load?.running) this.#load(load, more);
    }
    this.seq += 1;
    return { seq: this.seq, at_ms: Date.now(), totals: this.totals(), changed, gone: [], servers: this.servers, lints: this.lints };
  }

  /** @param {Any} load @param {number} more */
  #load(load, more) {
    load.elapsed_ms = Date.now() - load.began;
    const cost = load.server.length % 5;
    for (let i = 0; i < more; i += 1) {
      const bucket = Math.min(22, 5 + cost + Math.floor(-Math.log(this.rand() + 1e-6) * 1.3));
      load.histogram.buckets[bucket] = (load.histogram.buckets[bucket] ?? 0) + 1;
    }
    load.histogram.buckets = Array.from(load.histogram.buckets, (n) => n ?? 0);
    load.answered += more;
    load.sent = load.answered + load.in_flight;
    load.per_s = (load.rate_per_s || 20_000 / (1 + cost)) * (0.95 + this.rand() * 0.1);
    load.latency = { count: load.answered, p50_us: 2 ** (6 + cost), p99_us: 2 ** (9 + cost) };
    if (load.elapsed_ms >= load.seconds * 1000) Object.assign(load, { running: false, in_flight: 0, per_s: 0 });
  }

  /** @param {Any} wanted */
  startLoad(wanted) {
    const load = { ...wanted, running: true, began: Date.now(), elapsed_ms: 0, sent: 0, answered: 0, failed: 0, in_flight: wanted.connections, per_s: wanted.rate_per_s || 9000, histogram: { buckets: [] }, cpu_ms: 3 };
    this.loads.set(wanted.server, load);
    return load;
  }

  /** @param {Any} actor @param {string} action */
  act(actor, action) {
    /** @type {Any} */ let effect = { effect: "done" };
    if (actor.deaf && ["interrupt", "stop", "kill", "restart", "suspend"].includes(action)) effect = { effect: "pending", message: actor.message, running_ms: Date.now() - actor.startedRunning };
    else if (action === "suspend") actor.status = "suspended";
    else if (action === "resume") actor.status = actor.message ? "busy" : "idle";
    else if (action === "interrupt" || action === "restart") this.#free(actor, action);
    else if (action === "stop" || action === "kill") {
      effect = { effect: "ended" };
      Object.assign(actor, { status: "ended", message: null, note: null, last_exit: { kind: action === "stop" ? "stopped" : "killed" } });
      this.lints = this.lints.filter((lint) => lint.actor !== actor.id);
    }
    const entry = this.note("action", actor, `${action}: ${effect.effect}`, "dashboard 127.0.0.1");
    return { entry, answer: { actor: actor.id, path: actor.path, action, effect } };
  }

  /** @param {Any} actor @param {string} action */
  #free(actor, action) {
    if (actor.message && actor.note !== "accepting") {
      Object.assign(actor, { status: "idle", message: null, note: null, queued: 0, handled: actor.handled + actor.queued, pace: actor.pace || 4 });
      if (action === "interrupt") actor.dropped = [["interrupted", 1]];
    }
    if (action === "restart") actor.restarts += 1;
    this.lints = this.lints.filter((lint) => lint.actor !== actor.id);
  }
}
