// What nodes know and hold of registers, in the words and shapes of the page.
/** @import { Configuration, Holding, NodeState, RegisterDone, RegisterKey, RegisterNode, RegisterRound, Registers, RegisterWish, TimelineEntry } from "../types.js" */
import { duration } from "./format.js";

/** @type {Record<NodeState, { shape: string, word: string, tone: string, about: string }>} */
export const NODE_STATES = {
  running: { shape: "●", word: "running", tone: "good", about: "It answers." },
  starting: { shape: "◔", word: "starting", tone: "warn", about: "It begins, or comes back." },
  suspended: { shape: "■", word: "suspended", tone: "warn", about: "It rests until it is resumed; what it is told meanwhile waits." },
  ended: { shape: "✕", word: "ended", tone: "bad", about: "It has ended for good. Who keeps everything in memory does not come back as the same." },
  connected: { shape: "●", word: "connected", tone: "good", about: "On another machine, and letters go there." },
  "not-connected": { shape: "✕", word: "not connected", tone: "bad", about: "On another machine, and it cannot be reached from here." },
};

/** @type {Record<RegisterRound["step"], { title: string, about: string }>} */
export const STEPS = {
  query: { title: "Query", about: "What do you hold? A read quorum of every active configuration answers." },
  propagate: { title: "Propagate", about: "Hold at least this. A write quorum of every active configuration answers." },
  prepare: { title: "Prepare", about: "Promise to accept nothing below this ballot. A read quorum answers." },
  accept: { title: "Accept", about: "Accept this. A write quorum answers." },
};

/** @param {readonly RegisterNode[]} nodes @param {number} number */
export function nameOf(nodes, number) {
  return nodes.find((node) => node.node === number)?.name ?? `n${number}`;
}

/** The kind of quorums, in a few words. @param {Configuration} configuration */
export function quorumsText({ members, quorums }) {
  if (quorums === "Majority") return `majority: ${Math.floor(members.length / 2) + 1} of ${members.length}`;
  if ("Thresholds" in quorums) return `${quorums.Thresholds.read} to read, ${quorums.Thresholds.write} to write`;
  if ("Weighted" in quorums) return `weight ${quorums.Weighted.read} to read, ${quorums.Weighted.write} to write`;
  if ("Grid" in quorums) return `grid of ${members.length / quorums.Grid.columns} × ${quorums.Grid.columns}: a column reads, a row writes`;
  return "listed one by one";
}

/** Shards that any node has told of, ascending. @param {Registers} seen */
export function shardsOf(seen) {
  const shards = new Set(seen.timeline.map((entry) => entry.shard));
  for (const node of seen.nodes) for (const { shard } of node.shards) shards.add(shard);
  return [...shards].sort((a, b) => a - b);
}

/** Configurations of a shard, the newest first. @param {Registers} seen @param {number} shard */
export function timelineOf(seen, shard) {
  return seen.timeline.filter((entry) => entry.shard === shard).reverse();
}

/** The newest configuration of a shard. @param {Registers} seen @param {number} shard @returns {Configuration|null} */
export function newestOf(seen, shard) {
  return timelineOf(seen, shard)[0]?.configuration ?? null;
}

/**
 * All that were members of any configuration of a shard that was seen, so that members of different ones stand below each
 * other; who is no member weighs nothing.
 * @param {Registers} seen @param {number} shard @param {TimelineEntry} entry
 */
export function seats(seen, shard, entry) {
  const all = new Set(timelineOf(seen, shard).flatMap(({ configuration }) => configuration.members.map(({ node }) => node)));
  const weight = (/** @type {number} */ node) => entry.configuration.members.find((member) => member.node === node)?.weight ?? 0;
  return [...all].sort((a, b) => a - b).map((node) => ({ node, name: nameOf(seen.nodes, node), weight: weight(node) }));
}

/** Where a configuration stands. @param {TimelineEntry} entry */
export function stageOf(entry) {
  if (entry.removed_ms !== null) return { shape: "±", word: "removed", tone: "dead" };
  return entry.installed_ms !== null ? { shape: "●", word: "active alone", tone: "good" } : { shape: "◐", word: "decided", tone: "warn" };
}

/** What the driver measured. @param {TimelineEntry} entry */
export function tookText({ took, was_there }) {
  if (took) return `decided in ${duration(took.decided_us)}, alone after ${duration(took.installed_us)}, ${took.phases} round trips`;
  return was_there ? "it was there at the first look" : "";
}

/** At most so many configurations of a map are shown. */
const CELLS_MAX = 10;

/**
 * The configuration map of a node, as in the literature: ± for removed, the index of one that is active, ⊥ for one that
 * is not known. All that are removed for everybody are one cell.
 * @param {{ base: number|null, newest: number|null }|undefined} map @param {number} lowest the lowest base of all nodes @param {number} highest the newest of all
 * @returns {{ key: string, sign: string, kind: "removed"|"active"|"unknown", about: string }[]}
 */
export function mapCells(map, lowest, highest) {
  const base = map?.base ?? null;
  const newest = map?.newest ?? null;
  const first = Math.max(lowest, highest - CELLS_MAX + 1);
  /** @type {ReturnType<typeof mapCells>} */
  const cells = [];
  if (first > 0) {
    const about = first === 1 ? "configuration 0" : `configurations 0 to ${first - 1}`;
    cells.push(base === null ? { key: "old", sign: "⊥", kind: "unknown", about: `${about}: not known` }
      : { key: "old", sign: first === 1 ? "±" : `±${first}`, kind: "removed", about: `${about}: removed` });
  }
  for (let index = first; index <= highest; index += 1) {
    const key = String(index);
    if (base === null || newest === null || index > newest) cells.push({ key, sign: "⊥", kind: "unknown", about: `configuration ${index}: not known` });
    else if (index < base) cells.push({ key, sign: "±", kind: "removed", about: `configuration ${index}: removed` });
    else cells.push({ key, sign: `c${index}`, kind: "active", about: `configuration ${index}: active` });
  }
  return cells;
}

/** From where to where maps are shown. @param {Registers} seen @param {number} shard */
export function mapRange(seen, shard) {
  const own = seen.nodes.flatMap((node) => node.shards.filter((of) => of.shard === shard));
  const bases = own.flatMap((of) => (of.base === null ? [] : [of.base]));
  const tops = own.flatMap((of) => (of.newest === null ? [] : [of.newest]));
  return { lowest: bases.length ? Math.min(...bases) : 0, highest: tops.length ? Math.max(...tops) : 0 };
}

/**
 * All pairs of nodes and whether letters between them are lost.
 * @param {Registers} seen @returns {{ key: string, one: RegisterNode, other: RegisterNode, isCut: boolean }[]}
 */
export function links(seen) {
  const cut = new Set(seen.cuts.map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`));
  const alive = seen.nodes.filter((node) => node.state !== "ended");
  return alive.flatMap((one, at) => alive.slice(at + 1).map((other) => {
    const key = `${Math.min(one.node, other.node)}-${Math.max(one.node, other.node)}`;
    return { key, one, other, isCut: cut.has(key) };
  }));
}

/** Names of those that a node is cut off from. @param {Registers} seen @param {number} node */
export function cutFrom(seen, node) {
  const others = seen.cuts.flatMap(([one, other]) => (one === node ? [other] : other === node ? [one] : []));
  return others.map((other) => nameOf(seen.nodes, other));
}

/**
 * A configuration in a round: each member, whether it answered, and when in the order of answers.
 * @param {RegisterRound} round @param {Configuration} configuration @param {readonly RegisterNode[]} nodes
 */
export function lights(round, configuration, nodes) {
  return configuration.members.map(({ node, weight }) => {
    const place = round.answered.indexOf(node);
    return { node, name: nameOf(nodes, node), weight, place, answered: place >= 0 };
  });
}

/** Whether the answers are enough, in words. @param {RegisterRound} round @param {RegisterRound["configurations"][number]} asked */
export function verdict(round, { configuration, kind, has_quorum }) {
  const answered = configuration.members.filter(({ node }) => round.answered.includes(node)).length;
  const what = `${answered} of ${configuration.members.length} members of c${configuration.index}`;
  const quorum = `${kind.toLowerCase()} quorum`;
  return has_quorum ? { text: `✓ ${what}: a ${quorum}`, tone: "good" } : { text: `✕ ${what}: no ${quorum}`, tone: "bad" };
}

/** What came of an operation. @param {RegisterDone} done @param {readonly RegisterNode[]} nodes */
export function outcomeText(done, nodes) {
  const { outcome } = done;
  const stamp = outcome.tag !== null && outcome.tag !== "0" ? `, tag ${outcome.tag}` : outcome.version !== null ? `, version ${outcome.version}` : "";
  const rounds = done.rounds === null ? "" : `, ${done.rounds.length} ${done.rounds.length === 1 ? "round" : "rounds"}`;
  return `${outcome.is_done ? "✓" : "✕"} ${outcome.text}${stamp} · through ${nameOf(nodes, done.through)} in ${duration(done.took_us)}${rounds}`;
}

/** @param {Holding|undefined} holding */
export function holdingText(holding) {
  if (!holding) return { text: "?", kind: "silent", about: "It does not answer." };
  if (holding.tag === null) return { text: "–", kind: "nothing", about: "It never heard of the key." };
  const size = holding.value_bytes === null ? "deleted" : `${holding.value_bytes} B`;
  const stamp = holding.version === null ? holding.tag : `v${holding.version}`;
  const known = holding.confirmed ? "; known to be with a write quorum" : "";
  return { text: `${holding.newest ? "★ " : ""}${stamp} · ${size}`, kind: holding.newest ? "newest" : "older",
    about: `tag ${holding.tag}, ${size}: ${holding.newest ? "the newest of those that answered" : "older than what another node holds"}${known}` };
}

/** Which node holds what. @param {RegisterKey} row @param {number} node */
export function holdingOf(row, node) {
  return row.holdings.find((holding) => holding.node === node);
}

/**
 * What the form means, or why it means nothing.
 * @param {readonly string[]} members @param {string} kind @param {number} one @param {number} other @returns {{ wish: RegisterWish }|{ why: string }}
 */
export function wishOf(members, kind, one, other) {
  const n = members.length;
  if (n === 0) return { why: "Choose at least one member." };
  if (kind === "majority") return { wish: { members: [...members], quorum: "majority" } };
  if (!(Number.isInteger(one) && Number.isInteger(other) && one > 0 && other > 0)) return { why: "Both numbers are at least 1." };
  if (kind === "grid") {
    return one * other === n ? { wish: { members: [...members], quorum: `grid:${one}x${other}` } } : { why: `${one} × ${other} are ${one * other} members, and ${n} are chosen.` };
  }
  if (one > n || other > n) return { why: `There are ${n} members.` };
  if (one + other <= n) return { why: `${one} to read and ${other} to write can miss each other among ${n}: together they must be more.` };
  return { wish: { members: [...members], quorum: `thresholds:${one},${other}` } };
}
