// One operation on a register from the page: its rounds, and the members that light up as they answered.
/** @import { App, RegisterAct, RegisterDone, RegisterNode, RegisterRound, Registers } from "../types.js" */
import { field, h, list, select, setAttr, setText, setVar } from "../dom.js";
import { bytes } from "../pure/format.js";
import { lights, outcomeText, quorumsText, STEPS, verdict } from "../pure/registers.js";

/**
 * @param {App} app @param {{ why: () => string, nodes: () => readonly RegisterNode[], done: (key: string) => void }} around why nobody may, who is there, and what follows
 * @returns {{ el: HTMLElement, choose: (key: string) => void, draw: (seen: Registers) => void }}
 */
export function registerTry(app, around) {
  /** @type {RegisterDone|null} */
  let last = null;
  let through = "";
  /** Counts operations, so that each lights up anew. */
  let number = 0;
  const key = h("input", { type: "text", value: "city", maxlength: 1024, spellcheck: false, autocomplete: "off", "data-testid": "register-key" });
  const value = h("input", { type: "text", value: "Lyon", maxlength: 8192, spellcheck: false, autocomplete: "off", "data-testid": "register-value" });
  const ways = h("span", {});

  /** @param {HTMLButtonElement} button @param {() => RegisterAct} act */
  const run = async (button, act) => {
    setAttr(button, "aria-busy", "true");
    setText(outcome, "◔ …");
    setAttr(outcome, "data-tone", "calm");
    try {
      last = await app.api.runOnRegister({ key: key.value, act: act(), ...(through ? { through } : {}) });
      number += 1;
      show();
    } catch (error) {
      const { message, hint } = /** @type {import("../api.js").ApiError} */ (error);
      setText(outcome, `✕ ${message}`);
      setAttr(outcome, "data-tone", "bad");
      app.toast(message, "bad", hint);
    }
    setAttr(button, "aria-busy", null);
    around.done(key.value);
  };
  /** @param {string} name @param {string} text @param {() => RegisterAct} act */
  const button = (name, text, act) => {
    const control = h("button", { type: "button", class: name === "get" ? "primary" : "", "data-testid": `register-${name}`, onclick: () => run(control, act) }, text);
    return control;
  };
  const buttons = [button("get", "GET", () => "get"), button("set", "SET", () => ({ set: value.value })), button("delete", "DEL", () => "delete")];
  const outcome = h("p", { class: "outcome", role: "status", "data-testid": "register-outcome", "data-tone": "calm" }, "Each round asks all members of all active configurations, and ends when a quorum of each has answered.");
  const found = h("code", { class: "found", hidden: true, "data-testid": "register-found" });
  const rounds = h("div", { class: "rounds", "data-testid": "register-rounds" });

  function show() {
    if (!last) return;
    const nodes = around.nodes();
    setText(outcome, outcomeText(last, nodes));
    setAttr(outcome, "data-tone", last.outcome.is_done ? "good" : "bad");
    found.hidden = last.outcome.value === null;
    setText(found, last.outcome.value ?? "");
    setAttr(found, "title", bytes(new Blob([last.outcome.value ?? ""]).size));
    const shown = (last.rounds ?? []).map((round, at) => ({ round, at }));
    list(rounds, shown, ({ at }) => `${number} ${at}`, ({ round, at }) => roundBox(round, at, nodes));
  }
  return {
    el: h("div", { class: "register-try" },
      h("form", { class: "row", onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        if (!buttons[0]?.disabled) buttons[0]?.click();
      } }, field("key", key), field("value", value), ways, ...buttons), outcome, found, rounds),
    choose: (name) => {
      key.value = name;
      key.focus();
    },
    draw: ({ nodes }) => {
      const why = around.why();
      for (const control of buttons) {
        setAttr(control, "disabled", why !== "");
        setAttr(control, "title", why || null);
      }
      const running = nodes.filter((node) => node.is_here && node.state === "running").map((node) => node.name);
      if (through && !running.includes(through)) through = "";
      list(ways, [running], (names) => names.join(" "), (names) => field("through", select(through, [["", "any node"], ...names.map((name) => /** @type {[string, string]} */ ([name, name]))], (chosen) => {
        through = chosen;
      }, { "data-testid": "register-through" })));
    },
  };
}

/** @param {RegisterRound} round @param {number} at @param {readonly RegisterNode[]} nodes */
function roundBox(round, at, nodes) {
  const { title, about } = STEPS[round.step];
  const box = h("section", { class: "round", "data-testid": `round-${round.step}` }, h("h3", { title: about }, `${at + 1}. ${title}`));
  for (const asked of round.configurations) {
    const { text, tone } = verdict(round, asked);
    const members = h("div", { class: "lights", role: "list", "aria-label": `members of configuration ${asked.configuration.index}` });
    for (const light of lights(round, asked.configuration, nodes)) {
      const said = light.answered ? `answered, ${light.place + 1}.` : "has not answered";
      const lamp = h("span", { class: "light", role: "listitem", "data-answered": String(light.answered), title: `${light.name} ${said}`, "data-testid": `light-${round.step}-${light.name}` },
        h("b", {}, light.name), h("span", { class: "num" }, light.answered ? `✓ ${light.place + 1}.` : "–"));
      setVar(lamp, "--at", at * 4 + Math.max(0, light.place));
      members.append(lamp);
    }
    box.append(members, h("p", { class: "verdict", "data-tone": tone, title: quorumsText(asked.configuration) }, text));
  }
  if (round.refused_by !== null) box.append(h("p", { "data-tone": "warn" }, `◐ given up: n${round.refused_by} had promised a higher ballot`));
  return box;
}
