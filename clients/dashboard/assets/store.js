// The one place where the page's knowledge of the stage is kept. Data flows in from the connection, and out to views.
/** @import { State, SnapshotBody, Delta, LogEntry, LoadView, ServerView, Connection, ActorView } from "./types.js" */
import { applyDelta, applyLoads, applyLog, applyServers, applySnapshot, emptyState } from "./pure/merge.js";
import { runningFor } from "./pure/advice.js";
import { Tracks } from "./pure/rates.js";

export class Store {
  /** @type {State} */
  state = emptyState();
  /** @type {Connection} */
  connection = "connecting";
  /** What the connection says about itself. */
  connectionText = "";
  /** Counters of actors by id, and of the stage and its servers by name. @type {Tracks<number|string>} */
  tracks = new Tracks();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #receivedAt = 0;

  /** @param {() => void} listener @returns {() => void} stops it */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {SnapshotBody} body */
  snapshot(body) {
    const began = this.state.stage?.started_at;
    if (began !== undefined && began !== body.stage.started_at) this.tracks.clear();
    for (const id of this.state.actors.keys()) this.tracks.forget(id);
    this.#set(applySnapshot(this.state, body));
    this.#track(body.observed.actors);
  }

  /** @param {Delta} delta */
  delta(delta) {
    const next = applyDelta(this.state, delta);
    if (next === this.state) return;
    this.#set(next);
    this.#track(delta.changed);
    for (const id of delta.gone) this.tracks.forget(id);
  }

  /** @param {LogEntry} entry */
  log(entry) {
    this.#put(applyLog(this.state, entry));
  }

  /** @param {LoadView[]} views */
  loads(views) {
    this.#put(applyLoads(this.state, views));
  }

  /** @param {ServerView[]} servers */
  servers(servers) {
    this.#put(applyServers(this.state, servers));
  }

  /** @param {Connection} connection @param {string} [text] */
  connected(connection, text = "") {
    this.connection = connection;
    this.connectionText = text;
    this.#tell();
  }

  /** The stage's time now, as far as it can be told from its latest word. */
  now() {
    const { at_ms } = this.state;
    if (!at_ms || this.connection === "lost") return at_ms;
    return at_ms + Math.max(0, performance.now() - this.#receivedAt);
  }

  /** How much a counter grows in a second. @param {number|string} key */
  rate(key) {
    return this.tracks.perSecond(key, this.now());
  }

  /** @param {number|string} key @param {number} seconds */
  series(key, seconds) {
    return this.tracks.series(key, this.now(), seconds);
  }

  /** For how long an actor's handler has been running. @param {ActorView} actor */
  running(actor) {
    return runningFor(actor, this.state.seen_at.get(actor.id) ?? this.state.at_ms, this.now());
  }

  /** A path for an id, also of an actor that is not known. @param {number|null} id */
  path(id) {
    return id == null ? "outside" : (this.state.actors.get(id)?.path ?? `#${id}`);
  }

  /** @param {ActorView[]} actors */
  #track(actors) {
    const { at_ms, totals, servers } = this.state;
    for (const actor of actors) this.tracks.push(actor.id, at_ms, actor.sent);
    if (totals) {
      this.tracks.push("handled", at_ms, totals.handled);
      this.tracks.push("sent", at_ms, totals.sent);
      this.tracks.push("dropped", at_ms, totals.dropped);
      this.tracks.push("cpu", at_ms, totals.cpu_ms);
    }
    for (const server of servers) {
      this.tracks.push(`requests ${server.name}`, at_ms, server.scores.requests ?? 0);
      if (server.cpu_ms != null) this.tracks.push(`cpu ${server.name}`, at_ms, server.cpu_ms);
    }
    this.#tell();
  }

  /** @param {State} state */
  #set(state) {
    this.state = state;
    this.#receivedAt = performance.now();
  }

  /** @param {State} state */
  #put(state) {
    if (state === this.state) return;
    this.state = state;
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}
