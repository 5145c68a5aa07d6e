// Short messages in a corner, read out by screen readers, and questions before what cannot be undone.
import { h } from "../dom.js";

const SHAPES = { good: "✓", warn: "◐", bad: "✕" };
const GOOD_MS = 6000;
const BAD_MS = 15_000;

/** @param {HTMLElement} holder @returns {import("../types.js").App["toast"]} */
export function toaster(holder) {
  return (text, kind = "good", hint = "") => {
    const toast = h("div", { class: "toast", "data-testid": "toast", "data-kind": kind, role: kind === "bad" ? "alert" : "status" },
      h("span", { class: "shape", "aria-hidden": "true" }, SHAPES[kind]),
      h("div", { class: "toast-text" }, h("div", {}, text), hint && h("div", { class: "dim" }, hint)),
      h("button", { class: "quiet", type: "button", "aria-label": "dismiss", onclick: () => toast.remove() }, "×"));
    holder.append(toast);
    while (holder.children.length > 5) holder.firstElementChild?.remove();
    setTimeout(() => toast.remove(), kind === "good" ? GOOD_MS : BAD_MS);
  };
}

/**
 * Asks in a dialog.
 * @param {string} title @param {string} text @param {string} yes @returns {Promise<boolean>}
 */
export function confirmed(title, text, yes) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "ask", "aria-labelledby": "ask-title", "data-testid": "confirm-dialog", onclose: () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    } },
    h("form", { method: "dialog" }, h("h2", { id: "ask-title" }, title), h("p", {}, text),
      h("div", { class: "row end" },
        h("button", { value: "no", "data-testid": "confirm-no" }, "Cancel"),
        h("button", { value: "yes", class: "danger", "data-testid": "confirm-yes" }, yes))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
