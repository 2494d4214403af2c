/** One call of `/model/<id>/predict`: a picture goes in, labels and times come out. */

import { describeUnread } from "./kind.js";
import { notAnAnswer, readRefusal, tooLarge, tooLate, unreachable, unread, unreadable } from "./refusal.js";

/** After so long nobody waits any more: the frontend gives up after 30 seconds for the picture and 30 for the answer. */
export const LONGEST_SECONDS = 75;

/** How many labels a model gives that is not told a number. */
export const DEFAULT_TOP = 5;

/**
 * @typedef {Object} Answer
 * @property {Array<{label: string, class: number, probability: number}>} predictions best first
 * @property {string} revision the model's
 * @property {number} totalMs from the picture's departure to the answer's arrival
 * @property {number|null} modelMs how much of it the model's server took; null where it does not say
 * @property {Date} at when it came
 */

/**
 * Return the path that labels pictures.
 * @param {string} model
 * @param {number|null} top how many labels; null for the model's own number
 * @returns {string}
 */
export function predictPath(model, top) {
  return `/model/${encodeURIComponent(model)}/predict${top ? `?top_k=${top}` : ""}`;
}

/**
 * Ask a model for a picture's labels.
 * @param {string} model
 * @param {import("./picture.js").Picture} picture
 * @param {{top: number|null, most: number, signal: AbortSignal}} options `most` bytes are sent
 * @returns {Promise<Answer>}
 * @throws {import("./refusal.js").Refusal} in words; an AbortError where the signal was given
 */
export async function predict(model, picture, { top, most, signal }) {
  if (picture.blob.size > most) throw tooLarge(picture.blob.size, most);
  // a file that has gone fails like a network that has gone, unless it is read before
  const body = await picture.blob.arrayBuffer().catch(() => {
    throw unreadable();
  });
  const words = describeUnread(body);
  if (words) throw unread(words);
  const began = performance.now();
  const headers = { "Content-Type": picture.blob.type || "application/octet-stream" };
  const send = { method: "POST", body, headers, redirect: "manual" };
  const { response, text } = await fetchInTime(model, predictPath(model, top), send, signal);
  const totalMs = performance.now() - began;
  if (response.type === "opaqueredirect") throw notAnAnswer();
  if (!response.ok) throw readRefusal(response, text, { model, size: body.byteLength });
  const told = readModelTime(response.headers.get("Server-Timing"));
  const modelMs = told === null ? null : Math.min(told, totalMs);
  return { ...readPredictions(text), totalMs, modelMs, at: new Date() };
}

async function fetchInTime(model, path, send, signal) {
  const limit = AbortSignal.timeout(1000 * LONGEST_SECONDS);
  try {
    const response = await fetch(path, { ...send, signal: AbortSignal.any([signal, limit]) });
    return { response, text: await response.text() };
  } catch (error) {
    if (signal.aborted) throw error;
    throw limit.aborted ? tooLate(model, LONGEST_SECONDS) : unreachable(model);
  }
}

function readPredictions(text) {
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw notAnAnswer();
  }
  const predictions = answer?.predictions;
  const good = (one) => typeof one?.label === "string" && Number.isFinite(one.probability);
  if (!Array.isArray(predictions) || predictions.length === 0 || !predictions.every(good)) throw notAnAnswer();
  return { predictions, revision: String(answer.revision ?? "") };
}

function readModelTime(header) {
  const found = /(?:^|,)\s*model\s*;[^,]*?\bdur=([\d.]+)/.exec(header ?? "");
  const milliseconds = found ? Number(found[1]) : NaN;
  return Number.isFinite(milliseconds) ? milliseconds : null;
}
