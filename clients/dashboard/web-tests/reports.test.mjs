import assert from "node:assert/strict";
import { test } from "node:test";
import { gradeText, reportDate } from "../assets/pure/reports.js";

const report = (/** @type {string} */ date) => ({ topic: "switch", grade: "A", command: "palco bench switch", address: "/reports/switch", date });

test("every grade has a shape and a tone of its own, and one of a later version is shown as it is", () => {
  const shown = ["A", "B", "C", "D"].map(gradeText);
  assert.deepEqual(shown.map(({ tone }) => tone), ["good", "warn", "bad", "calm"]);
  assert.equal(new Set(shown.map(({ text }) => text[0])).size, 4);
  assert.equal(shown[3]?.text, "? grade D");
});

test("a grade that every object would know is none", () => {
  for (const name of ["constructor", "toString", "__proto__"]) assert.equal(gradeText(name).text, `? grade ${name}`);
});

test("dates are those of the report, and short where they can be read", () => {
  const dates = ["2026-03-01T12:34:56Z", "2026-03-01T12:34Z", "2026-03-01T12:34:56.789Z", "1 March, at noon", ""];
  assert.deepEqual(dates.map((date) => reportDate(report(date))), ["2026-03-01 12:34 UTC", "2026-03-01 12:34 UTC", "2026-03-01 12:34 UTC", "1 March, at noon", "at an unknown time"]);
});
