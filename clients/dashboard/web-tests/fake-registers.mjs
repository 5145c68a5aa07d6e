// Nodes that keep registers and are none: they do what they are told, so that the page can be tried without them.

/** @typedef {any} Any the shapes are those of the contract, and are checked where the page uses them */

/** @param {number} index @param {number[]} nodes @param {Any} [quorums] */
const configuration = (index, nodes, quorums = "Majority") => ({ index, members: nodes.map((node) => ({ node, weight: 1 })), quorums, proposer: nodes[0] });

export class FakeRegisters {
  constructor() {
    const now = Date.now();
    this.nodes = [1, 2, 3, 4].map((node) => ({ node, name: `n${node}`, state: "running", base: node === 4 ? 2 : 3, newest: node === 4 ? 2 : 3 }));
    /** @type {Any[]} */ this.timeline = [
      { shard: 0, configuration: configuration(2, [1, 2, 3]), decided_ms: now - 400_000, was_there: true, installed_ms: now - 400_000, removed_ms: now - 60_000, took: null },
      { shard: 0, configuration: configuration(3, [1, 2, 3], { Thresholds: { read: 2, write: 2 } }), decided_ms: now - 60_010, was_there: false, installed_ms: now - 60_000, removed_ms: null, took: { decided_us: 1900, installed_us: 9200, phases: 4 } },
    ];
    /** @type {Set<string>} */ this.cuts = new Set();
    /** @type {Map<string, Any[]>} */ this.held = new Map(/** @type {[string, Any[]][]} */ ([
      ["city", [1, 2, 3, 4].map((node) => ({ node, tag: node === 3 ? "6.n2.1.4" : node === 4 ? null : "7.n1.1.9", version: null, value_bytes: node === 4 ? null : 4, confirmed: node === 1, newest: node < 3 }))],
      ["cas:lock", [1, 2, 3, 4].map((node) => ({ node, tag: "3298534883329.n1.1.2", version: 2, value_bytes: 4, confirmed: false, newest: true }))],
      ["<img src=x onerror=alert(1)>", [{ node: 1, tag: "1.n1.1.1", version: null, value_bytes: 1, confirmed: false, newest: true }]],
    ]));
    this.sequence = 7;
  }

  top() {
    return this.timeline[this.timeline.length - 1].configuration;
  }

  /** @param {number} at_ms @returns {Any} */
  seen(at_ms) {
    const nodes = this.nodes.map(({ node, name, state, base, newest }) => ({
      node, name, state, is_here: true, resp: `127.0.0.1:${6379 + node}`, http: null, replicas: [{ actor: node, path: `registers/replica-${name}-0` }], told_ms: at_ms,
      shards: [{ shard: 0, boot: 1, base, newest, lags: newest < this.top().index, registers: 3, operations: 0, driving: null }],
    }));
    return { at_ms, hosts: true, nodes, cuts: [...this.cuts].map((pair) => pair.split("-").map(Number)), timeline: this.timeline };
  }

  /** @param {URLSearchParams} query */
  keys(query) {
    const one = query.get("key");
    const names = one ? [one] : [...this.held.keys()];
    return { keys: names.map((key) => ({ key, is_text: true, class: key.startsWith("cas:") ? "Cas" : "Register", holdings: this.held.get(key) ?? this.nodes.map(({ node }) => ({ node, tag: null, version: null, value_bytes: null, confirmed: false, newest: false })) })), next: null };
  }

  /** @param {(string|undefined)[]} way @param {Any} body @returns {{ status: number, body: Any }} */
  act([what, name, action], body) {
    const refused = (/** @type {string} */ error, status = 409) => ({ status, body: { error, hint: "look at the nodes" } });
    const node = this.nodes.find((of) => of.name === name);
    if (what === "run") return { status: 200, body: this.run(body) };
    if (what === "nodes" && !name) {
      const number = this.nodes.length + 1;
      this.nodes.push({ node: number, name: `n${number}`, state: "running", base: this.top().index, newest: this.top().index });
      return { status: 200, body: { node: number, name: `n${number}` } };
    }
    if (what === "nodes") {
      if (!node) return refused(`there is no node \`${name}\``, 404);
      node.state = action === "kill" ? "ended" : action === "suspend" ? "suspended" : "running";
      return { status: 200, body: { node: node.node, action, effects: [{ effect: "done" }] } };
    }
    if (what === "cuts") {
      const pair = [body.one, body.other].map((of) => Number(of.slice(1))).sort().join("-");
      if (body.cut) this.cuts.add(pair);
      else this.cuts.delete(pair);
      return { status: 200, body: { cuts: [...this.cuts].map((of) => of.split("-").map(Number)) } };
    }
    if (what !== "reconfigure") return refused("no such route", 404);
    const members = body.members?.map((/** @type {string} */ of) => Number(of.slice(1))) ?? this.top().members.map((/** @type {Any} */ of) => (`n${of.node}` === body.replace[0].old ? Number(body.replace[0].new.slice(1)) : of.node));
    if (members.some((/** @type {number} */ of) => this.nodes[of - 1]?.state === "ended")) return refused("not installed: too few members of c4 answered");
    const [now, old] = [Date.now(), this.timeline[this.timeline.length - 1]];
    old.removed_ms = now;
    const next = configuration(this.top().index + 1, members);
    this.timeline.push({ shard: 0, configuration: next, decided_ms: now - 8, was_there: false, installed_ms: now, removed_ms: null, took: { decided_us: 1700, installed_us: 8100, phases: 4 } });
    for (const of of this.nodes) if (of.state === "running") Object.assign(of, { base: next.index, newest: next.index });
    return { status: 200, body: { changes: [{ shard: 0, text: `configuration ${next.index} is installed`, done: {} }] } };
  }

  /** @param {Any} order */
  run({ key, act }) {
    const top = this.top();
    const alive = top.members.map((/** @type {Any} */ of) => of.node).filter((/** @type {number} */ of) => this.nodes[of - 1]?.state === "running");
    const has_quorum = alive.length > top.members.length / 2;
    const answered = alive.slice(0, Math.floor(top.members.length / 2) + 1);
    const round = (/** @type {string} */ step, /** @type {string} */ kind) => ({ step, answered, refused_by: null, configurations: [{ configuration: top, kind, has_quorum }] });
    const outcome = { is_done: has_quorum, text: has_quorum ? "read" : "no quorum answered in time; nothing was changed", tag: has_quorum ? `${this.sequence}.n1.1.9` : null, version: null, value: has_quorum && act === "get" ? "Lyon" : null };
    if (!has_quorum || act === "get") return { key, class: "Register", through: 1, took_us: has_quorum ? 640 : 3_000_000, outcome, rounds: [round("query", "Read")] };
    this.sequence += 1;
    const tag = `${this.sequence}.n1.1.9`;
    this.held.set(key, this.nodes.map(({ node }) => ({ node, tag: answered.includes(node) ? tag : null, version: null, value_bytes: 4, confirmed: false, newest: answered.includes(node) })));
    return { key, class: "Register", through: 1, took_us: 1250, outcome: { ...outcome, text: "written", tag }, rounds: [round("query", "Read"), round("propagate", "Write")] };
  }
}
