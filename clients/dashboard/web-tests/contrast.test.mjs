import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../assets/style.css", import.meta.url), "utf8");
const colours = new Map([...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)/g)].map(([, name, light, dark]) => [name ?? "", [light ?? "", dark ?? ""]]));

/** @param {string} colour as in WCAG 2 */
function luminance(colour) {
  const hex = colour.length === 4 ? [...colour.slice(1)].map((c) => c + c).join("") : colour.slice(1);
  const [r = 0, g = 0, b = 0] = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test("every pair of text and ground can be read, in light and dark", () => {
  const pairs = [["text", "bg panel raised accent-soft warn-soft bad-soft"], ["dim", "bg panel raised bad-soft"], ["accent", "bg panel raised bad-soft accent-soft"], ["good", "bg panel raised accent-soft"],
    ["warn", "bg panel raised warn-soft accent-soft"], ["bad", "bg panel raised bad-soft accent-soft"], ["urgent", "panel"], ["on-accent", "accent"]];
  for (const [text = "", grounds = ""] of pairs) {
    for (const ground of grounds.split(" ")) {
      for (const scheme of [0, 1]) {
        const [a = 0, b = 0] = [text, ground].map((name) => luminance(colours.get(name)?.[scheme] ?? "#000")).sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        assert.ok(contrast >= 4.5, `${text} on ${ground}, ${scheme ? "dark" : "light"}: ${contrast.toFixed(2)}`);
      }
    }
  }
});
