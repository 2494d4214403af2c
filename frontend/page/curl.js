/** A labelling as a curl command, and the clipboard that it goes to. */

import { find } from "./elements.js";
import { predictPath } from "./prediction.js";
import { say } from "./speech.js";

/**
 * Quote a word for a POSIX shell.
 * @param {string} word
 * @returns {string}
 */
export function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Write the command that gets the labels which are shown.
 * @param {import("./picture.js").Picture} picture
 * @param {string} model
 * @param {number|null} top how many labels; null for the model's own number
 * @param {string} [origin] of this page
 * @returns {string}
 */
export function writeCommand(picture, model, top, origin = location.origin) {
  const address = quote(origin + predictPath(model, top));
  if (picture.sample) return `curl --silent ${quote(origin + picture.sample)} | curl --data-binary @- ${address}`;
  const path = picture.name === "-" ? "./-" : picture.name; // curl reads its standard input from @-
  return `curl --data-binary @${quote(path)} ${address}`;
}

/**
 * Copy a command; where the browser does not let a page do so, show it to be copied by hand.
 * @param {string} command
 * @param {HTMLButtonElement} button says for a moment that it is done
 */
export async function copyCommand(command, button) {
  try {
    await navigator.clipboard.writeText(command); // there is none on http, but for localhost
  } catch {
    find("command-text").value = command;
    find("command").showModal();
    find("command-text").select();
    return;
  }
  say("Copied.");
  const before = button.dataset.text ?? button.textContent;
  button.dataset.text = before;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = before), 2000);
}
