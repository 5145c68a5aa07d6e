// The priority of a request: a nice value to slide, sent when it is let go.
import { h, setAttr, setText } from "../dom.js";
import { NICE_MAX, NICE_MIN } from "../pure/requests.js";

/** @param {(nice: number) => void} wanted @returns {HTMLElement} */
export function niceSlider(wanted) {
  const shown = h("output", { class: "num" });
  const slider = h("input", { type: "range", min: NICE_MIN, max: NICE_MAX, step: 1, oninput: () => setText(shown, slider.value),
    onchange: () => wanted(slider.valueAsNumber) });
  slider.addEventListener("pointerdown", () => setAttr(slider, "data-moved", true));
  for (const end of ["pointerup", "pointercancel", "blur"]) slider.addEventListener(end, () => setAttr(slider, "data-moved", null));
  return h("span", { class: "nice" }, slider, shown);
}

/** @param {HTMLElement} element @param {number|null} nice @param {{ label: string, about: string, why: string }} words `why` it cannot be moved, or nothing */
export function showNice(element, nice, { label, about, why }) {
  const [slider, shown] = /** @type {[HTMLInputElement, HTMLElement]} */ (/** @type {unknown} */ ([...element.children]));
  setAttr(slider, "aria-label", label);
  setAttr(slider, "title", why || about);
  slider.disabled = why !== "";
  // Not under the finger that moves it.
  if (slider.hasAttribute("data-moved")) return;
  const value = String(nice ?? 0);
  if (slider.value !== value) slider.value = value;
  setText(shown, value);
}
