/** What one model says of one picture: the label, bars, the time, or why there is none. */

import { hasPlaceholders } from "./card.js";
import { copyCommand, writeCommand } from "./curl.js";
import { make } from "./elements.js";
import { writeCount, writeShare, writeTime } from "./figures.js";
import { DEFAULT_TOP } from "./prediction.js";

/**
 * Draw a model's answer.
 * @param {import("./session.js").Session} session
 * @param {import("./picture.js").Labelling} labelling
 * @param {"first"|"second"} side which of the two models it is
 * @returns {HTMLElement}
 */
export function drawAnswer(session, labelling, side) {
  const { model, status, pending } = labelling;
  return make("section",
    { class: `answer ${side}`, "aria-label": model, "data-status": status, "aria-busy": String(pending) },
    make("h3", { class: "who" }, model),
    ...drawBody(session, labelling),
  );
}

function drawBody(session, labelling) {
  if (labelling.status === "refused") return drawRefused(session, labelling);
  if (labelling.answer) return drawLabels(session, labelling);
  const away = session.queue.gate(labelling.model).reason;
  if (away) {
    return [
      make("p", { class: "label waiting" }, away.again === "busy" ? "Queueing …" : "Waiting …"),
      make("p", { class: "soft" }, `${away.title}. The picture is kept, and is labelled as soon as it can be.`),
    ];
  }
  return [
    make("p", { class: "label waiting" }, labelling.slowUploads ? "Sending it again …" : "Looking …"),
    make("div", { class: "bones", "aria-hidden": "true" }, make("span"), make("span"), make("span")),
  ];
}

function drawRefused(session, labelling) {
  const { message, final } = labelling.refusal;
  return [
    make("p", { class: "refused" }, message),
    final ? null : make("p", { class: "actions" }, make("button", {
      type: "button", "data-key": `again ${labelling.model}`, onclick: () => session.queue.add(labelling),
    }, "Try again")),
  ];
}

function drawLabels(session, { picture, model, answer }) {
  const card = session.cards.get(model);
  const [best] = answer.predictions;
  const shown = answer.predictions.slice(0, session.top);
  const top = session.top === DEFAULT_TOP ? null : shown.length;
  const copy = ({ currentTarget }) => copyCommand(writeCommand(picture, model, top), currentTarget);
  return [
    make("p", { class: best.label.length > 12 ? "label long" : "label" }, best.label),
    make("p", { class: "share" }, writeShare(best.probability)),
    card && (card.trained === false || hasPlaceholders(card)) ? make("p", { class: "doubted" }, describeDoubt(card)) : null,
    make("ol", { class: "bars", "aria-label": `The ${writeCount(shown.length, "most likely label")}` }, ...shown.map(drawBar)),
    drawTime(answer),
    make("p", { class: "actions" },
      make("button", { type: "button", class: "quiet", "data-key": `curl ${model}`, onclick: copy }, "Copy as curl"),
    ),
  ];
}

function describeDoubt(card) {
  return card.trained === false ? "Untrained: this label means nothing." : "The label is a placeholder.";
}

function drawBar({ label, probability }) {
  const fill = make("span", { class: "fill" });
  fill.style.setProperty("--share", probability);
  return make("li", {},
    make("span", { class: "name" }, label),
    make("span", { class: "number" }, writeShare(probability)),
    make("span", { class: "bar", "aria-hidden": "true" }, fill),
  );
}

function drawTime({ totalMs, modelMs }) {
  if (modelMs === null) return make("p", { class: "time" }, make("b", {}, writeTime(totalMs)), " until the answer");
  const network = totalMs - modelMs;
  const split = make("span", { class: "split", "aria-hidden": "true" }, make("span"), make("span"));
  split.style.setProperty("--network", network);
  split.style.setProperty("--model", modelMs);
  return make("p", { class: "time" },
    split,
    make("b", {}, writeTime(totalMs)), ": ",
    make("span", { class: "part" }, `${writeTime(network)} network`), ", ",
    make("span", { class: "part model" }, `${writeTime(modelMs)} model`),
  );
}
