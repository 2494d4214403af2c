/** Figures as text: shares, sizes and times. */

/**
 * Write a probability as a percentage that never claims what was rounded: neither a certainty nor an impossibility.
 * @param {number} share from 0 to 1
 * @returns {string}
 */
export function writeShare(share) {
  if (share >= 1) return "100%";
  if (share > 0.999) return "> 99.9%";
  if (share > 0 && share < 0.001) return "< 0.1%";
  return `${(share * 100).toFixed(1)}%`;
}

/**
 * Write a number of bytes.
 * @param {number} bytes
 * @returns {string}
 */
export function writeBytes(bytes) {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, "")} MiB`;
}

/**
 * Write a time.
 * @param {number} milliseconds
 * @returns {string}
 */
export function writeTime(milliseconds) {
  if (milliseconds >= 10_000) return `${Math.round(milliseconds / 1000)} s`;
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds)} ms`;
}

/**
 * Write a count with its noun.
 * @param {number} number
 * @param {string} noun in the singular; its plural has an s
 * @returns {string}
 */
export function writeCount(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
