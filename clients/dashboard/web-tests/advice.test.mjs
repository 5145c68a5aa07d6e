import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS, effectText, explain, isResting, LINTS, runningFor, STATUS } from "../assets/pure/advice.js";
import { FakeStage } from "./fake-stage.mjs";

const stage = new FakeStage();
const stuck = stage.view(stage.stuck);

test("a stuck handler is explained by its place, with what frees it", () => {
  const task = explain(stuck, 12_300, [], false);
  assert.match(task?.why ?? "", /Resize has been running for 12\.3.s.*messages wait behind it.*whole event loop/);
  assert.match(task?.todo ?? "", /Interrupt drops the handler/);
  assert.match(explain({ ...stuck, place: "fiber" }, 5000, [], false)?.why ?? "", /kernel thread that other fibers/);
  assert.match(explain({ ...stuck, place: "thread" }, 5000, [], false)?.why ?? "", /only this actor/);
  assert.match(explain({ ...stuck, place: "process" }, 5000, [], false)?.todo ?? "", /SIGKILL/);
});

test("who accepts connections or is quick needs no advice", () => {
  assert.equal(explain({ ...stuck, note: "accepting" }, 60_000, [], false), null);
  assert.equal(explain(stuck, 20, [], false), null);
  assert.ok(isResting({ ...stuck, note: "accepting" }) && !isResting(stuck));
});

test("waiting, deadlock, suspension, restarts and a full mailbox are told apart", () => {
  const ask = { from: 1, from_path: "a", to: 2, to_path: "b", message: "Get", for_ms: 5000 };
  assert.match(explain(stuck, 5000, [ask], true)?.why ?? "", /^Deadlock/);
  assert.match(explain(stuck, 5000, [ask], false)?.why ?? "", /waits for b to answer Get/);
  assert.match(explain({ ...stuck, status: "suspended" }, null, [], false)?.todo ?? "", /Resume/);
  assert.match(explain({ ...stuck, status: "suspending" }, 900, [], false)?.why ?? "", /no await point/);
  assert.match(explain({ ...stuck, status: "restarting", last_exit: { kind: "killed" } }, null, [], false)?.why ?? "", /killed/);
  assert.match(explain({ ...stuck, status: "idle", message: null, queued: 600 }, null, [], false)?.why ?? "", /half full: 600 of 1024/);
  assert.match(explain({ ...stuck, status: "ended", message: null, last_exit: { kind: "failed", detail: "x" } }, null, [], false)?.why ?? "", /failed: x/);
});

test("an effect that is pending is never called done", () => {
  const answer = { actor: 1, path: "app/hog", action: "kill" };
  const pending = effectText({ ...answer, effect: { effect: "pending", message: "Spin", running_ms: 2500 } });
  assert.equal(pending.kind, "warn");
  assert.match(pending.text, /pending\. It cannot be stopped now because Spin has been running for 2\.50.s/);
  assert.doesNotMatch(pending.text, /done/);
  assert.equal(effectText({ ...answer, effect: { effect: "ended" } }).text, "kill app/hog: ended");
  assert.match(effectText({ ...answer, drained: { finished: 3, abandoned: 1 } }).text, /3 connections finished, 1 abandoned/);
});

test("time goes on between two looks, but not for the dead", () => {
  assert.equal(runningFor({ ...stuck, running_ms: 100 }, 1000, 1250), 350);
  assert.equal(runningFor({ ...stuck, running_ms: 100, status: "ended" }, 1000, 1250), 100);
  assert.equal(runningFor({ ...stuck, running_ms: null }, 0, 9), null);
});

test("everything has words, and every status its own shape", () => {
  assert.equal(new Set(Object.values(STATUS).map(({ shape }) => shape)).size, Object.keys(STATUS).length);
  for (const action of ACTIONS) assert.ok(action.about.length > 20);
  assert.deepEqual(ACTIONS.filter(({ ask }) => ask).map(({ name }) => name), ["stop", "kill"]);
  for (const kind of ["slow-handler", "growing-mailbox", "restart-storm", "asks-itself", "deadlock", "unconfined"]) assert.ok(LINTS[kind]?.todo);
});
