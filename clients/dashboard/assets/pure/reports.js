// The last reports of benchmarks, in the words and colours of the page.
/** @import { Report } from "../types.js" */

/** How quiet the machine was, with a shape and a tone, so that it can be seen without colour. @type {Map<string, { text: string, tone: string, about: string }>} */
const GRADES = new Map([
  ["A", { text: "● grade A", tone: "good", about: "The machine was quiet." }],
  ["B", { text: "◐ grade B", tone: "warn", about: "Somebody else was at work on the machine." }],
  ["C", { text: "▲ grade C", tone: "bad", about: "The machine was busy: medians may stand, tails do not." }],
]);

/** @param {string} grade */
export function gradeText(grade) {
  return GRADES.get(grade) ?? { text: `? grade ${grade}`, tone: "calm", about: "" };
}

/** When its run began, as the report says it. @param {Report} report */
export function reportDate(report) {
  return report.date.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?Z$/, "$1 $2 UTC") || "at an unknown time";
}
