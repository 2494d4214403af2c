/** One call of `/model/<id>/predict`: a picture goes in, labels and times come out. */

import { Refusal, notAnAnswer, readRefusal, tooLarge, unreachable, unreadable } from "./refusal.js";

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
 * @throws {Refusal} in words; an AbortError where the signal was given
 */
export async function predict(model, picture, { top, most, signal }) {
  if (picture.blob.size > most) throw tooLarge(picture.blob.size, most);
  // a file that has gone fails like a network that has gone, unless it is read before
  const body = await picture.blob.arrayBuffer().catch(() => {
    throw unreadable();
  });
  const began = performance.now();
  const headers = { "Content-Type": picture.blob.type || "application/octet-stream" };
  const response = await fetch(predictPath(model, top), { method: "POST", body, headers, signal }).catch((error) => {
    throw error.name === "AbortError" ? error : unreachable(model);
  });
  if (!response.ok) throw await readRefusal(response, { model, size: body.byteLength });
  const text = await response.text().catch((error) => {
    throw error.name === "AbortError" ? error : unreachable(model);
  });
  const totalMs = performance.now() - began;
  const told = readModelTime(response.headers.get("Server-Timing"));
  const modelMs = told === null ? null : Math.min(told, totalMs);
  return { ...readPredictions(text), totalMs, modelMs, at: new Date() };
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
