/** What a screen reader says of its own accord: results, refusals and maintenance, never a countdown. */

import { find } from "./elements.js";

const TOGETHER_MS = 150;
let sentences = [];
let timer = 0;

/**
 * Say a sentence. Those of one moment are said together, and none of them twice.
 * @param {string} sentence
 */
export function say(sentence) {
  find("speech").textContent = ""; // the same sentence again would not be heard
  if (!sentences.includes(sentence)) sentences.push(sentence);
  clearTimeout(timer);
  timer = setTimeout(() => {
    find("speech").textContent = sentences.join(" ");
    sentences = [];
  }, TOGETHER_MS);
}
