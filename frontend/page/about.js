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
  const named = labels.join(", ").length <= MOST_LETTERS ? `: ${labels.join(", ")}` : `, such as ${labels.slice(0, 3).join(", ")}`;
  return `${model} knows ${writeCount(labels.length, "label")}${named}`;
}

function drawAbout(model, card, index) {
  const title = make("h2", { id: `about-${index}` }, `About ${model}`);
  const rows = card ? describe(card).map(([term, words]) => make("div", {}, make("dt", {}, term), make("dd", {}, words))) : [];
  return make("section", { class: "panel about", "aria-labelledby": title.id },
    title,
    card ? make("dl", {}, ...rows) : make("p", { class: "soft" }, "Its card has not come yet."),
    card ? drawLabels(card) : null,
  );
}

function describe(card) {
  const { trained, trained_on: data, evaluation, variant = {}, architecture, weights, input_size: size, revision } = card;
  const right = Number.isFinite(variant.accuracy) && evaluation;
  const runs = [variant.precision, variant.engine && `on ${ENGINES[variant.engine] ?? variant.engine}`, variant.device && `on ${DEVICES[variant.device] ?? variant.device}`];
  return [
    ["Trained on", trained && data ? `${data.name}${data.images ? ` (${writeCount(data.images, "image")})` : ""}` : trained ? "nobody says what" : "nothing: its weights are random"],
    ["Accuracy", right ? `${writeRate(variant.accuracy)} of ${writeCount(evaluation.images, "picture")} that it never saw (${evaluation.name})` : "not measured"],
    Number.isFinite(variant.agreement) && variant.precision !== "float32" ? ["Agrees", `with its float32 self on ${writeRate(variant.agreement)} of them`] : null,
    ["Labels", hasPlaceholders(card)
      ? `${writeCount(card.labels.length, "placeholder")}, which name nothing`
      : `${writeCount(card.labels.length, "label")}, from ${card.labels_source || "nobody knows where"}`],
    ["Looks at", `the middle of the picture, as ${size} × ${size} pixels`],
    ["Runs", runs.filter(Boolean).join(", ").replace(", on", " on")],
    ["Network", [architecture, weights].filter(Boolean).join(", ")],
    ["Revision", revision],
  ].filter((row) => row?.[1]);
}

function writeRate(share) {
  return `${(share * 100).toFixed(2).replace(/\.00$/, "")}%`;
}

function drawLabels({ labels }) {
  const named = labels.slice(0, MOST_NAMED);
  const more = labels.length > named.length ? ` and ${labels.length - named.length} more` : "";
  return make("details", {}, make("summary", {}, `All ${writeCount(labels.length, "label")}`), make("p", { class: "labels" }, named.join(", ") + more));
}
