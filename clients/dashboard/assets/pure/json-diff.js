// Which places of a JSON value have changed.

/** @param {string} path @param {string|number} key the path in the manner of RFC 6901 */
export function pointer(path, key) {
  return `${path}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/**
 * The paths of values that are new or different, down to the deepest place that says it all.
 * @param {unknown} before @param {unknown} after @returns {Set<string>}
 */
export function changedPaths(before, after) {
  /** @type {Set<string>} */
  const changed = new Set();
  compare(before, after, "", changed);
  return changed;
}

/** @param {unknown} before @param {unknown} after @param {string} path @param {Set<string>} changed */
function compare(before, after, path, changed) {
  if (Object.is(before, after)) return;
  if (!isHolder(before) || !isHolder(after) || Array.isArray(before) !== Array.isArray(after)) {
    changed.add(path);
    return;
  }
  for (const key of Object.keys(after)) {
    if (Object.hasOwn(before, key)) compare(before[key], after[key], pointer(path, key), changed);
    else changed.add(pointer(path, key));
  }
  if (Object.keys(before).some((key) => !Object.hasOwn(after, key))) changed.add(path);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isHolder(value) {
  return typeof value === "object" && value !== null;
}
