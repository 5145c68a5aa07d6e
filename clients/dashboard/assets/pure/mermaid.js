// A sequence diagram as Mermaid text, for documents and issues.
/** @import { Diagram } from "./sequence.js" */
import { duration } from "./format.js";

/** @param {Diagram} diagram @returns {string} */
export function toMermaid(diagram) {
  const lines = ["sequenceDiagram"];
  diagram.columns.forEach((column, i) => lines.push(`  participant a${i} as ${clean(column.path)}`));
  /** @type {{ row: number, rank: number, line: string }[]} */
  const events = [];
  for (const arrow of diagram.arrows) {
    const { record } = arrow;
    const [from, to] = [`a${arrow.from}`, `a${arrow.to}`];
    const name = clean(record.urgent ? `‼ ${record.message}` : record.message);
    const isLost = arrow.isDropped && !arrow.wasBegun;
    const lost = isLost ? ` (${clean(record.outcome)})` : "";
    events.push({ row: arrow.fromRow, rank: 1, line: `${from}${isLost ? "-x" : record.ask ? "->>" : "-)"}${to}: ${name}${lost}` });
    if (isLost) continue;
    events.push({ row: arrow.toRow, rank: 2, line: `activate ${to}` });
    if (arrow.endRow === null) continue;
    const took = duration((record.ended_us ?? 0) - record.begun_us).replaceAll("\u00a0", " ");
    if (arrow.isDropped) {
      events.push({ row: arrow.endRow, rank: 0, line: `${record.ask ? `${to}--x${from}` : `${to}-x${to}`}: ${clean(record.outcome)}` });
    } else if (record.ask) {
      events.push({ row: arrow.endRow, rank: 0, line: `${to}-->>${from}: reply after ${took}` });
    }
    events.push({ row: arrow.endRow, rank: 0.5, line: `deactivate ${to}` });
  }
  for (const step of diagram.steps) {
    events.push({ row: step.fromRow, rank: 3, line: `Note over a${step.column}: ${clean(step.what)}` });
  }
  events.sort((a, b) => a.row - b.row || a.rank - b.rank);
  return [...lines, ...events.map(({ line }) => `  ${line}`), ""].join("\n");
}

/** Without what Mermaid would take for its own. @param {string} text */
function clean(text) {
  return text.replace(/[#;]/g, (sign) => (sign === "#" ? "#35;" : "#59;")).replace(/[\r\n]+/g, " ").replace(/</g, "#lt;")
    .replace(/>/g, "#gt;").replace(/\bend\b/gi, (word) => `${word}\u200b`);
}
