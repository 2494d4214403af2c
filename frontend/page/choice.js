/** What this browser's user has chosen: the models and how many labels. Kept in local storage where there is one. */

const PREFIX = "kserve-vision.";

/**
 * Read a choice.
 * @param {string} name
 * @returns {string|null} null where nothing was chosen, or where this browser keeps nothing
 */
export function readChoice(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null; // a private window, or storage that is switched off: the page goes on without
  }
}

/**
 * Keep a choice for the next visit.
 * @param {string} name
 * @param {string} value
 */
export function keepChoice(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // as above
  }
}
