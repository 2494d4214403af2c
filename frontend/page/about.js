/** A model's card in words: what it was trained on, how well it does, and how it runs. */

import { hasPlaceholders } from "./card.js";
import { find, make, redraw } from "./elements.js";
import { writeCount } from "./figures.js";

const ENGINES = { openvino: "OpenVINO", onnxruntime: "ONNX Runtime", torch: "PyTorch" };
const DEVICES = { cpu: "a CPU", cuda: "a GPU" };
const MOST_LETTERS = 60;
const MOST_NAMED = 2000;

/**
 * Draw the cards of the chosen models.
 * @param {import("./session.js").Session} session
 */
export function drawAbouts(session) {
  const box = find("abouts");
  const cards = session.models.map((model) => [model, session.cards.get(model)]);
  const drawn = JSON.stringify(cards.map(([model, card]) => [model, card?.revision]));
  if (box.dataset.drawn === drawn) return;
  box.dataset.drawn = drawn;
  redraw(box, cards.map(([model, card], index) => drawAbout(model, card, index)));
}

/**
 * Say which labels a model knows, for who wonders what to show it.
 * @param {string} model
 * @param {import("./card.js").Card|null} card
 * @returns {string} "" where nobody knows, or where the labels are no names
 */
export function describeLabels(model, card) {
  if (!card || hasPlaceholders(card)) return "";
  const { labels } = card;
  const all = labels.join(", ");
  const named = all.length <= MOST_LETTERS ? `: ${all}` : `, such as ${labels.slice(0, 3).join(", ")}`;
  return `${model} knows ${writeCount(labels.length, "label")}${named}. It knows only these, and always names one of them.`;
}

function drawAbout(model, card, index) {
  const title = make("h2", { id: `about-${index}` }, `About ${model}`);
  const parts = card ? [drawRows(card), drawLabels(card)] : [make("p", { class: "soft" }, "Its card has not come yet.")];
  return make("section", { class: "panel about", "aria-labelledby": title.id }, title, ...parts);
}

function drawRows(card) {
  const rows = describe(card).map(([term, words]) => make("div", {}, make("dt", {}, term), make("dd", {}, words)));
  return make("dl", {}, ...rows);
}

function describe(card) {
  const { variant = {}, architecture, weights, input_size: size, revision } = card;
  const agrees = Number.isFinite(variant.agreement) && variant.precision !== "float32";
  return [
    ["Trained on", describeTraining(card)],
    ["Accuracy", describeAccuracy(card)],
    ["Agrees", agrees ? `with its float32 self on ${writeRate(variant.agreement)} of the pictures` : null],
    ["Labels", describeSource(card)],
    ["Looks at", `only the middle square of the picture, as ${size} × ${size} pixels`],
    ["Runs", describeRuntime(variant)],
    ["Network", [architecture, weights].filter(Boolean).join(", ")],
    ["Revision", revision],
  ].filter(([, words]) => words);
}

function describeTraining({ trained, trained_on: data }) {
  if (!trained) return "nothing: its weights are random";
  if (!data) return "nobody says what";
  return data.images ? `${data.name} (${writeCount(data.images, "image")})` : data.name;
}

function describeAccuracy({ variant = {}, evaluation }) {
  if (!Number.isFinite(variant.accuracy) || !evaluation) return "not measured";
  const unseen = writeCount(evaluation.images, "picture");
  return `${writeRate(variant.accuracy)} of ${unseen} that it never saw (${evaluation.name})`;
}

function describeSource(card) {
  const { labels, labels_source: source } = card;
  if (hasPlaceholders(card)) return `${writeCount(labels.length, "placeholder")}, which name nothing`;
  return `${writeCount(labels.length, "label")}, from ${source || "nobody knows where"}`;
}

function describeRuntime({ precision, engine, device }) {
  const on = [engine && `on ${ENGINES[engine] ?? engine}`, device && `on ${DEVICES[device] ?? device}`];
  return [precision, on.filter(Boolean).join(", ")].filter(Boolean).join(" ");
}

function writeRate(share) {
  return `${(share * 100).toFixed(2).replace(/\.00$/, "")}%`;
}

function drawLabels({ labels }) {
  const named = labels.slice(0, MOST_NAMED);
  const more = labels.length > named.length ? ` and ${labels.length - named.length} more` : "";
  const title = make("summary", {}, `All ${writeCount(labels.length, "label")}`);
  return make("details", {}, title, make("p", { class: "labels" }, named.join(", ") + more));
}
