import assert from "node:assert/strict";
import { test } from "node:test";
import { acted, among, changesText, ends, entryText, instances, isCleanEnd, logLines, micros, moment, serviceState } from "../assets/pure/services.js";
import { services } from "./fake-services.mjs";

const NOW = 1_800_000_000_000;
const status = services(NOW, ["inetd/ftp/tcp:0.0.0.0:21/192.0.2.7:40312", "inetd/ftp/tcp:0.0.0.0:21/192.0.2.8:40313"]);

test("moments and spans of the stage are those of the page", () => {
  assert.equal(moment({ secs_since_epoch: 2, nanos_since_epoch: 500_000_000 }), 2500);
  assert.equal(micros({ secs: 1, nanos: 5_000 }), 1_000_005);
});

test("every state has a shape and a tone of its own", () => {
  const shown = ["listening", "through tcpmux", "closed for 7 s: cps", "off: no program", "whatever"].map(serviceState);
  assert.deepEqual(shown.map(({ tone }) => tone), ["good", "good", "warn", "bad", "calm"]);
  assert.equal(shown[2]?.text, "▲ closed for 7 s: cps");
  assert.equal(new Set(shown.slice(1).map(({ text }) => text[0])).size, 4);
});

test("entries are written as the log writes them", () => {
  const texts = status.log.map((entry) => Object.values(entryText(entry)).join(": "));
  assert.deepEqual(texts.slice(0, 2), ["START: pid=5090 from=192.0.2.7", "EXIT: status=0 pid=5090 duration=0(sec)"]);
  assert.deepEqual(texts.slice(3), ["EXIT: status=0 duration=0(sec)", "FAIL: cps from=192.0.2.9", "CLOSE: tcp 0.0.0.0:42: cps"]);
  const at = { secs_since_epoch: 0, nanos_since_epoch: 0 };
  assert.deepEqual(entryText({ at, service: "a", event: { event: "listen", address: "tcp [::]:21" } }), { word: "LISTEN", text: "tcp [::]:21" });
  assert.deepEqual(entryText(/** @type {any} */ ({ at, service: "a", event: { event: "new" } })), { word: "NEW", text: "" });
});

test("a reload says what has changed, or that nothing has", () => {
  assert.equal(changesText({ added: [], changed: [], removed: [] }), "nothing has changed");
  assert.equal(changesText({ added: ["a", "b"], changed: [], removed: ["c"] }), "added a, b; removed c");
});

test("limits that acted, exits and log come with the latest first, of all services or one", () => {
  const all = among(status.services, "");
  assert.equal(all.length, 4);
  assert.deepEqual(acted(all).map(({ key }) => key), ["finger rate", "ftp instances"]);
  assert.deepEqual(ends(all, 9).map(({ pid, how }) => [pid, isCleanEnd(how)]), [[5091, false], [null, true], [5090, true]]);
  assert.deepEqual(ends(all, 1).map(({ service }) => service), ["ftp"]);
  assert.deepEqual(ends(among(status.services, "daytime"), 9).map(({ service }) => service), ["daytime"]);
  assert.deepEqual(instances(all).map(({ service, pid }) => [service, pid]), [["ftp", 5100], ["ftp", 5101]]);
  assert.deepEqual(logLines(status, "", 2).map(({ word }) => word), ["CLOSE", "FAIL"]);
  assert.deepEqual(logLines(status, "ftp", 9).map(({ word }) => word), ["EXIT", "START"]);
});

test("what is said twice at one moment is shown twice, and keeps its key when more comes", () => {
  const twice = { ...status, log: [...status.log, ...status.log.slice(-1)] };
  const keys = logLines(twice, "", 99).map(({ key }) => key);
  assert.equal(new Set(keys).size, 7);
  const [first] = status.log;
  const later = { ...twice, log: first ? [...twice.log, { ...first, at: { secs_since_epoch: NOW, nanos_since_epoch: 0 } }] : [] };
  assert.deepEqual(logLines(later, "", 99).slice(1).map(({ key }) => key), keys);
});
