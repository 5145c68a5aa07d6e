// Light, dark, or as the system has it.
import { h, setText } from "./dom.js";

const NEXT = /** @type {const} */ ({ auto: "light", light: "dark", dark: "auto" });
const SIGNS = { auto: "◐ Auto", light: "○ Light", dark: "● Dark" };
const KEY = "palco-theme";

export function themeButton() {
  /** @type {keyof typeof NEXT} */
  let theme = known();
  const button = h("button", { class: "quiet", type: "button", "data-testid": "theme", title: "Light, dark, or as the system has it",
    onclick: () => {
      theme = NEXT[theme];
      keep(theme);
      show();
    } });
  const show = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    setText(button, SIGNS[theme]);
  };
  show();
  return button;
}

/** @returns {keyof typeof NEXT} */
function known() {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "auto";
  } catch {
    return "auto";
  }
}

/** @param {string} theme */
function keep(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A browser that keeps nothing shows what the system has.
  }
}
