import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ASSETS = fileURLToPath(new URL("../assets/", import.meta.url));
const names = readdirSync(ASSETS, { recursive: true }).map(String).filter((name) => /\.(js|css|html|svg)$/.test(name));
const files = names.map((name) => ({ name, text: readFileSync(ASSETS + name, "utf8") }));
const scripts = files.filter(({ name }) => name.endsWith(".js"));

/** Each file in which a pattern is found. @param {typeof files} among @param {RegExp} pattern */
const found = (among, pattern) => among.filter(({ text }) => pattern.test(text)).map(({ name }) => name);

test("nothing of the stage can become markup or code", () => {
  const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTML|\beval\b|new Function|srcdoc|javascript:/;
  assert.deepEqual(found(scripts, forbidden), []);
  assert.deepEqual(found(scripts, /set(Timeout|Interval)\(\s*["'`]/), []);
  assert.deepEqual(found(scripts, /["'`]style["'`]\s*[:,]|\bstyle:/), [], "style attributes are against the policy");
});

test("the shell has no inline script, style or handler, and nothing from elsewhere", () => {
  const html = files.filter(({ name }) => name.endsWith(".html"));
  assert.equal(html.length, 1);
  assert.deepEqual(found(html, /\son\w+\s*=|\sstyle\s*=|<style|<script(?![^>]*\ssrc=)/i), []);
  assert.deepEqual(found(files.filter(({ name }) => name !== "icon.svg" && name !== "dom.js"), /https?:\/\//), []);
  assert.deepEqual(found(files, /@import\s+(url|["'])|url\(\s*["']?(?!#|\$)/), []);
});

test("links that scripts make lead to a view or to the stage", () => {
  for (const { name, text } of scripts) {
    for (const [, target] of text.matchAll(/href(?:"\s*,|:)\s*[`"]([^`"]*)/g)) {
      assert.ok(/^(#\/|\/api\/|\/reports\/|#\$)/.test(target ?? ""), `${name}: ${target}`);
    }
  }
});

test("modules import files that are there, and no packages", () => {
  for (const { name, text } of scripts) {
    for (const [, target] of text.matchAll(/^(?:import|export)[^;]*?from "([^"]+)"/gm)) {
      assert.ok(target?.startsWith("."), `${name} imports ${target}`);
      assert.ok(names.includes(new URL(target ?? "", `file:///${name}`).pathname.slice(1)), `${name} imports ${target}`);
    }
  }
});

test("each file says what it is, is short, and every line ends where its text ends", () => {
  for (const { name, text } of scripts) assert.match(text, /^\/\/ [A-Z].{20,}\n/, name);
  for (const { name, text } of files) {
    assert.ok(text.split("\n").length <= 400, `${name} is long`);
    assert.doesNotMatch(text, /[ \t]+$|\t/m, name);
  }
});

test("pure modules know no page", () => {
  const pure = scripts.filter(({ name }) => name.startsWith("pure"));
  assert.ok(pure.length > 10);
  assert.deepEqual(found(pure, /\b(document|window|fetch|localStorage|performance|Date\.now|Math\.random)\b[.(]|\.\.\/(dom|store|api)/), []);
});

test("what browser tests hold on to is there", () => {
  const all = scripts.map(({ text }) => text).join("\n");
  for (const id of ["connection", "toast", "lint-card", "action-", "status-", "sequence-svg", "lifeline", "load-form", "load-start", "load-stop", "confirm-yes", "freshness", "nav-", "request-", "requests-none", "actor-request", "report-", "reports-none", "node-state-", "register-key", "register-outcome", "cut-", "member-"]) {
    assert.ok(all.includes(`"${id}`) || all.includes(`\`${id}`), id);
  }
});
