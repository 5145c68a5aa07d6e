// What the words, signals and warnings of the stage mean, and what a person can do. In the words of the semantics page.
/** @import { ActorView, Effect, ActionAnswer, Status, WaitEdge } from "../types.js" */
import { elapsed, duration, exitReason, isFailure, lastName } from "./format.js";

/** @type {Record<Status, { shape: string, text: string, tone: string, about: string }>} */
export const STATUS = {
  starting: { shape: "◔", text: "starting", tone: "calm", about: "Its start hook runs." },
  idle: { shape: "○", text: "idle", tone: "calm", about: "It waits for a message." },
  busy: { shape: "●", text: "busy", tone: "good", about: "A handler runs." },
  suspending: { shape: "◐", text: "suspending", tone: "warn", about: "It has been told to suspend and has not yet reached a point where it can." },
  suspended: { shape: "■", text: "suspended", tone: "warn", about: "It rests until it is resumed." },
  restarting: { shape: "▲", text: "restarting", tone: "bad", about: "A life has ended, and its supervisor has not yet begun the next." },
  stopping: { shape: "▽", text: "stopping", tone: "warn", about: "Its children are being stopped, or its stop hook runs." },
  ended: { shape: "✕", text: "ended", tone: "dead", about: "It has ended for good." },
};

/** @type {{ name: string, label: string, about: string, ask?: string }[]} */
export const ACTIONS = [
  { name: "suspend", label: "Suspend", about: "The running handler rests where it is: not polled, no progress. While idle, no message is begun." },
  { name: "resume", label: "Resume", about: "A suspended handler goes on where it rested and completes with the same result." },
  { name: "step", label: "Step", about: "Lets a suspended actor handle one message, and suspends it again." },
  { name: "interrupt", label: "Interrupt", about: "The running handler is dropped at its await point and its asker is told; the actor goes on with the next message." },
  { name: "inspect", label: "Inspect", about: "Asks the actor for its state. Answered after the running handler: until then the state is marked stale." },
  { name: "restart", label: "Restart", about: "Ends this life and lets the supervisor begin another. The address and what is queued survive." },
  { name: "stop", label: "Stop", about: "The handler finishes, then the actor ends; queued messages become dead letters.", ask: "The handler that runs finishes, then the actor and its children end. Queued messages become dead letters. A supervisor of a server drains its connections first." },
  { name: "kill", label: "Kill", about: "The handler is dropped at its await point, no stop hook runs. A process is ended with SIGKILL after 100 ms if it reaches none.", ask: "The handler is dropped at its await point, no stop hook runs, and whoever asked is told. Its supervisor starts it again if its restart rule says so." },
];

/** @type {Record<string, { title: string, todo: string }>} */
export const LINTS = {
  "slow-handler": { title: "Slow handler", todo: "Open the actor and interrupt or kill it. A handler that blocks belongs on a thread or in a process, not on an event loop." },
  "growing-mailbox": { title: "Growing mailbox", todo: "Open the actor and see what its handler does; slow down the senders that the flow map shows, or add workers." },
  "restart-storm": { title: "Restart storm", todo: "Read the exit history of the actor: the same reason again and again is a defect, not bad luck. Stop it until that is mended." },
  "asks-itself": { title: "Asks itself", todo: "Its handler waits for a message that only it could handle. Interrupt it; then tell instead of ask." },
  deadlock: { title: "Deadlock", todo: "Interrupt one actor of the circle: its ask fails, and the others go on. See the view Waits." },
  unconfined: { title: "Unconfined process", todo: "The kernel did not grant what was asked for. See the view Processes for what was obtained." },
};

/** What a handler says while it merely waits for the world, which is no reason to worry. */
const RESTING_NOTES = new Set(["accepting", "reading", "writing", "waiting", "sleeping", "serving"]);

/** @param {ActorView} actor whether a long run of its handler means nothing */
export function isResting(actor) {
  return actor.note !== null && RESTING_NOTES.has(actor.note);
}

/** @param {ActorView} actor @param {number} seen_ms @param {number} now_ms how long its handler has been running now */
export function runningFor(actor, seen_ms, now_ms) {
  if (actor.running_ms == null) return null;
  return actor.running_ms + (actor.status === "ended" ? 0 : Math.max(0, now_ms - seen_ms));
}

/** From when a running handler is worth a sentence. */
export const LONG_MS = 1000;

/**
 * Why an actor is where it is, and what can be done: sentences for its page.
 * @param {ActorView} actor @param {number|null} running_ms @param {readonly WaitEdge[]} waitsFor @param {boolean} isDeadlocked
 * @returns {{ tone: "good"|"warn"|"bad", why: string, todo: string }|null}
 */
export function explain(actor, running_ms, waitsFor, isDeadlocked) {
  const what = actor.note && actor.message ? `${actor.message} (${actor.note})` : (actor.message ?? actor.note ?? "a message");
  const ask = waitsFor[0];
  if (isDeadlocked && ask) {
    return { tone: "bad", why: `Deadlock: it waits for ${ask.to_path} to answer ${ask.message}, and that waits, directly or through others, for this actor.`, todo: "Interrupt this actor or another of the circle: its ask fails, and the others go on." };
  }
  if (actor.status === "restarting") {
    return { tone: "bad", why: `Its last life ${exitReason(actor.last_exit)}. Its supervisor begins the next after a pause that doubles with each failure.`, todo: "Read the exit history below. Stop it if the reason is always the same." };
  }
  if (actor.status === "suspended") {
    return { tone: "warn", why: `It was suspended${actor.message ? ` while it handled ${what}` : ""}. Messages wait in its mailbox: ${actor.queued} queued.`, todo: "Resume lets it go on where it rested. Step lets it handle one message." };
  }
  if (actor.status === "suspending") {
    return { tone: "warn", why: `It was told to suspend, but ${what} has reached no await point or checkpoint for ${elapsed(running_ms)}.`, todo: "The signal acts at the next such point. Resume takes it back." };
  }
  if (actor.status === "busy" && running_ms !== null && running_ms >= LONG_MS && ask) {
    return { tone: "warn", why: `Its handler of ${what} has been running for ${elapsed(running_ms)}: it waits for ${ask.to_path} to answer ${ask.message}.`, todo: `Look at ${lastName(ask.to_path)} first. Interrupt ends the wait here.` };
  }
  if (actor.status === "busy" && running_ms !== null && running_ms >= LONG_MS && !isResting(actor)) {
    return { tone: "bad", why: `Its handler of ${what} has been running for ${elapsed(running_ms)}. ${stuckBehind(actor)}`, todo: freeIt(actor) };
  }
  if (actor.status === "ended" && isFailure(actor.last_exit)) {
    return { tone: "bad", why: `It ${exitReason(actor.last_exit)}, and was not started again (restart: ${actor.restart}).`, todo: "What is shown is what was known last." };
  }
  if (actor.capacity > 0 && actor.queued * 2 > actor.capacity) {
    return { tone: "warn", why: `Its mailbox is more than half full: ${actor.queued} of ${actor.capacity}. Senders that wait for room are slowed down.`, todo: "See who sends most in the flow map, and how long its handlers take below." };
  }
  return null;
}

/** @param {ActorView} actor */
function stuckBehind(actor) {
  const queue = actor.queued === 1 ? "1 message waits" : `${actor.queued} messages wait`;
  if (actor.place === "task") return `${queue} behind it. If it blocks, it holds up its whole event loop, with all actors on it.`;
  if (actor.place === "fiber") return `${queue} behind it. If it computes or blocks, it holds a kernel thread that other fibers wait for.`;
  if (actor.place === "thread") return `${queue} behind it. It has a thread of its own, so only this actor is held up.`;
  return `${queue} behind it. It has a process of its own, so only this actor is held up.`;
}

/** @param {ActorView} actor */
function freeIt(actor) {
  const first = "Interrupt drops the handler at its next await point or checkpoint, and the actor goes on with the next message.";
  if (actor.place === "process") return `${first} If it reaches none, Kill ends the process by SIGKILL after 100 ms, and the supervisor starts another.`;
  return `${first} If the effect stays pending, it reaches no such point: only its own end frees it.`;
}

/** What an action did, as it can be said for certain. @param {ActionAnswer} answer @returns {{ text: string, kind: "good"|"warn" }} */
export function effectText(answer) {
  const name = `${answer.action} ${answer.path}`;
  if (answer.drained) {
    return { kind: answer.drained.abandoned ? "warn" : "good", text: `${name}: drained, ${answer.drained.finished} connections finished, ${answer.drained.abandoned} abandoned` };
  }
  /** @type {Effect} */
  const effect = answer.effect ?? { effect: "done" };
  if (effect.effect === "pending") {
    const who = effect.message ? `${effect.message} has been running for` : "its handler has been running for";
    return { kind: "warn", text: `${name}: pending. It cannot be stopped now because ${who} ${duration((effect.running_ms ?? 0) * 1000)} and has reached no await point or checkpoint.` };
  }
  return { kind: "good", text: `${name}: ${effect.effect}` };
}
