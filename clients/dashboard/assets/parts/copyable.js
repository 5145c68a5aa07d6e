// A command to be typed into a terminal, with a button that copies it.
import { h, setText } from "../dom.js";

const TOLD_MS = 2000;

/** @returns {HTMLElement} */
export function copyable() {
  const code = h("code");
  const copy = h("button", { type: "button", class: "quiet", "aria-label": "copy the command", onclick: async () => {
    try {
      await navigator.clipboard.writeText(code.textContent ?? "");
      setText(copy, "✓ Copied");
    } catch {
      // Browsers let only pages of this machine or by TLS do it: then the keyboard can.
      getSelection()?.selectAllChildren(code);
      setText(copy, "Press Ctrl-C");
    }
    setTimeout(() => setText(copy, "Copy"), TOLD_MS);
  } }, "Copy");
  return h("div", { class: "row copyable" }, code, copy);
}

/** @param {HTMLElement} element @param {string} text */
export function showCopyable(element, text) {
  setText(/** @type {Element} */ (element.firstElementChild), text);
}
