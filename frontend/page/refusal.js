/** Why a picture got no labels, in words, and whether asking again can help. */

import { writeBytes } from "./figures.js";

const LONGEST = 300;
/** What is said where the server does not name what is wrong. */
const REFUSED = {
  400: "the server could not read the picture",
  413: "the picture is too large",
  415: "this kind of file is not read; JPEG, PNG and WebP are",
};
/** What the servers say of a model that is not there, and what it means to who only wants a label. */
const ABSENCES = [
  { pattern: /loading/i, is: "is loading", words: "It has started, and can’t answer yet." },
  { pattern: /stopping/i, is: "is being restarted", words: "Its server has just stopped taking pictures." },
  { pattern: /deadline|queue|overload|busy|at once/i, is: "is overloaded", words: "It has more to do than it can answer in time." },
];
/** A model's name, quoted: `unloading-bay` is not loading. The apostrophe in “can't” opens no quotation. */
const QUOTED = /(?<!\w)(?:'[^']*'|"[^"]*")/g;
/** Advice to programs, which this page follows without being asked. */
const ADVICE = /; (try|send|ask) [^;]*$/;

/**
 * How a refusal ends: `never` until something changes, `upload` when this one upload is tried again, `busy` and `away`
 * when the model can be asked again later.
 * @typedef {"never"|"upload"|"busy"|"away"} Again
 */

/** A refused or failed request. */
export class Refusal extends Error {
  /**
   * @param {string} words a sentence for the reader
   * @param {Again} again
   * @param {{title?: string, retryAfter?: number, final?: boolean}} [more] `title` says what the model is; `retryAfter`
   *   is in seconds; `final` where the same picture would be refused again
   */
  constructor(words, again, { title = "", retryAfter = 0, final = false } = {}) {
    super(words);
    this.again = again;
    this.title = title;
    this.retryAfter = retryAfter;
    this.final = final;
  }
}

/** A picture that is over the limit; it is not even sent. @param {number} size @param {number} most @returns {Refusal} */
export function tooLarge(size, most) {
  const limit = Number.isFinite(most) ? `, and at most ${writeBytes(most)} are taken` : ", which is more than is taken";
  return new Refusal(`The picture is too large: it has ${writeBytes(size)}${limit}. Make it smaller first.`, "never", { final: true });
}

/** A file that can't be read. @returns {Refusal} */
export function unreadable() {
  return new Refusal("The file can’t be read. Was it moved, changed or deleted? Folders can’t be read either.", "never");
}

/** A file of a kind that no model reads; it is not even sent. @param {string} words @returns {Refusal} */
export function unread(words) {
  return new Refusal(words, "never", { final: true });
}

/** This page itself failed, which is a mistake in it. @returns {Refusal} */
export function pageFailed() {
  return new Refusal("This page failed at the picture. Try again, or reload the page.", "never");
}

/** Nothing answered. @param {string} model @returns {Refusal} */
export function unreachable(model) {
  return navigator.onLine === false
    ? new Refusal("This device has no network.", "away", { title: "You are offline" })
    : new Refusal("Nothing answers at its address.", "away", { title: `${model} can’t be reached` });
}

/** No answer came for longer than anybody waits. @param {string} model @param {number} seconds @returns {Refusal} */
export function tooLate(model, seconds) {
  return new Refusal(`No answer came for ${seconds} seconds.`, "away", { title: `${model} doesn’t answer in time` });
}

/** Something answered, with 200 or another address, but it was not the model. @returns {Refusal} */
export function notAnAnswer() {
  const words = "What answered was not the model but something in front of it, such as a proxy’s or a sign-in page.";
  return new Refusal(`${words} Reload this page, or ask whoever runs it.`, "never");
}

/**
 * Put a refused response into words. A JSON `error` is shown as it is, because it names what is wrong; the text of a
 * page that a proxy made is never shown.
 * @param {Response} response its status is not 200
 * @param {string} text its body
 * @param {{model: string, size: number}} asked which model, and with how many bytes
 * @returns {Refusal}
 */
export function readRefusal(response, text, { model, size }) {
  const { status } = response;
  const sentence = readSentence(text);
  const retryAfter = readRetryAfter(response.headers.get("Retry-After"));
  if (status === 429) {
    return new Refusal("Too many pictures wait for it already.", "busy", { title: `${model} is busy`, retryAfter });
  }
  if (status === 502 || status === 503 || status === 504) {
    return new Refusal(...describeAbsence(status, sentence, model, retryAfter));
  }
  if (status === 408) return new Refusal("The upload took too long.", "upload", { retryAfter });
  if (status === 413 && sentence === null) return tooLarge(size, Infinity);
  if (status in REFUSED) return new Refusal(`Not labelled: ${sentence ?? REFUSED[status]}`, "never", { final: true });
  if (status === 404) return new Refusal(`There is no model “${model}” any more. Choose another one.`, "never");
  if (status === 401 || status === 403) {
    return new Refusal(`You are not let in (${status}). Sign in, then reload this page.`, "never");
  }
  return new Refusal(`The server failed at this picture (${status}). Its log says why.`, "never");
}

function describeAbsence(status, sentence, model, retryAfter) {
  const late = `${model} doesn’t answer in time`;
  if (sentence === null) {
    const words = `What answers in its place is a proxy’s page (${status}).`;
    return [words, "away", { title: status === 504 ? late : `${model} is down`, retryAfter }];
  }
  if (status === 504) return [sentence, "away", { title: late, retryAfter }];
  const nameless = sentence.replace(QUOTED, "");
  const known = ABSENCES.find(({ pattern }) => pattern.test(nameless));
  if (known) return [known.words, "away", { title: `${model} ${known.is}`, retryAfter }];
  return [sentence.replace(ADVICE, "") || sentence, "away", { title: `${model} is down`, retryAfter }];
}

function readSentence(text) {
  try {
    const { error } = JSON.parse(text);
    if (typeof error !== "string" || error === "") return null;
    return error.length > LONGEST ? `${error.slice(0, LONGEST)} …` : error;
  } catch {
    return null;
  }
}

function readRetryAfter(text) {
  if (!text) return 0;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 300) : 0;
}
