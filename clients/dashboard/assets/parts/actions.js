// The buttons that act on one actor.
/** @import { App } from "../types.js" */
import { h, setAttr, setText } from "../dom.js";
import { ACTIONS, effectText } from "../pure/advice.js";
import { confirmed } from "./toasts.js";

const READ_ONLY = "This page may only look: open it with the address that `palco up` prints, which has the token.";

/**
 * @param {App} app @param {number} id @param {() => void} done when something was done
 * @returns {{ el: HTMLElement, draw: () => void }}
 */
export function actionBar(app, id, done) {
  /** @param {typeof ACTIONS[number]} action */
  const run = async (action) => {
    const path = app.store.path(id);
    if (!app.store.state.stage?.can_act) {
      app.toast(READ_ONLY, "warn");
      return;
    }
    if (action.ask && !(await confirmed(`${action.label} ${path}?`, action.ask, action.label))) return;
    const button = buttons.get(action.name);
    if (button) setAttr(button, "aria-busy", "true");
    try {
      const { text, kind } = effectText(await app.api.act(id, action.name));
      app.toast(text, kind, kind === "warn" ? action.about : "");
    } catch (error) {
      const { message, hint } = /** @type {import("../api.js").ApiError} */ (error);
      app.toast(`${action.name} ${path}: ${message}`, "bad", hint);
    }
    if (button) setAttr(button, "aria-busy", null);
    done();
  };
  const buttons = new Map(ACTIONS.map((action) => [action.name, h("button", {
    type: "button", "data-testid": `action-${action.name}`, class: action.ask ? "danger" : "", title: action.about,
    "aria-describedby": "actions-about", onclick: () => run(action),
  }, action.label)]));
  const about = h("p", { class: "dim actions-about", id: "actions-about", "data-testid": "actions-about" });
  for (const action of ACTIONS) {
    const button = buttons.get(action.name);
    const tell = () => setText(about, `${action.label}: ${action.about}`);
    button?.addEventListener("pointerenter", tell);
    button?.addEventListener("focus", tell);
  }
  const bar = h("div", { class: "row actions", role: "toolbar", "aria-label": "what can be done to this actor" }, ...buttons.values());
  return {
    el: h("div", {}, bar, about),
    draw: () => {
      const { stage, actors } = app.store.state;
      const actor = actors.get(id);
      const may = stage?.can_act === true;
      for (const [name, button] of buttons) {
        const why = !may ? READ_ONLY : !actor || actor.status === "ended" ? "It has ended." : "";
        setAttr(button, "aria-disabled", why ? "true" : null);
        setAttr(button, "disabled", may && why !== "");
        const text = ACTIONS.find((action) => action.name === name)?.about ?? "";
        setAttr(button, "title", why ? `${text} ${why}` : text);
      }
      if (!may) setText(about, READ_ONLY);
      else if (!about.textContent || about.textContent === READ_ONLY) setText(about, "Point at a button to read what it does.");
    },
  };
}
