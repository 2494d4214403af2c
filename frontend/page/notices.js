/** What everybody must know before they believe a label: a model that is away, unknown, untrained or without names. */

import { hasPlaceholders } from "./card.js";
import { find, make, redraw } from "./elements.js";

/**
 * @typedef {Object} Notice
 * @property {string} kind "away", "busy", "doubt" or "plain"
 * @property {string} title
 * @property {string} words
 * @property {number|null} [until] when it is tried again, by performance.now()
 * @property {{text: string, act: () => void}} [action]
 */

/**
 * Draw the notices; where they are the same as before nothing is touched.
 * @param {Notice[]} notices
 */
export function drawNotices(notices) {
  const box = find("notices");
  const drawn = JSON.stringify(notices);
  if (box.dataset.drawn === drawn) return;
  box.dataset.drawn = drawn;
  redraw(box, notices.map(drawNotice), find("model"));
  count();
}

function drawNotice({ kind, title, words, until, action }) {
  return make("div", { class: `notice ${kind}` },
    make("div", {},
      make("p", { class: "notice-title" }, title),
      make("p", {}, words, until === undefined ? null : make("span", { "data-until": until ?? "" })),
    ),
    action ? make("button", { type: "button", class: "quiet", "data-key": action.text, onclick: action.act }, action.text) : null,
  );
}

/** Keep the countdowns going; a screen reader is not told of them. */
export function startCountdowns() {
  setInterval(count, 500);
}

function count() {
  for (const element of document.querySelectorAll("[data-until]")) {
    const seconds = Math.ceil((Number(element.dataset.until) - performance.now()) / 1000);
    const text = seconds > 0 ? ` Trying again in ${seconds} s.` : " Trying again now …";
    if (element.textContent !== text) element.textContent = text;
  }
}

/**
 * Find what is to be said of the catalogue and the chosen models.
 * @param {import("./session.js").Session} session
 * @param {(model: string) => void} choose
 * @returns {Notice[]}
 */
export function findNotices(session, choose) {
  const { catalogue } = session;
  const ready = catalogue.models.find((model) => model.state === "ready");
  return [
    ...describeCatalogue(catalogue),
    ...session.models.flatMap((model) => {
      if (catalogue.reached && catalogue.models.length && catalogue.stateOf(model) === "gone") {
        const action = ready && { text: `Use ${ready.id} instead`, act: () => choose(ready.id) };
        const words = "It was taken out of the catalogue. Choose another model; your pictures stay.";
        return [{ kind: "away", title: `${model} is not here any more`, words, action }];
      }
      return [...describeGate(session, model), ...describeCard(session.cards.get(model), model)];
    }),
  ];
}

function describeCatalogue({ models, reached, trouble }) {
  if (reached === false) {
    const title = trouble ? "The list of models can’t be had now" : "This page can’t reach its server";
    const words = models.length ? "The states of the models are those of before." : "Which models there are is not known yet.";
    return [{ kind: "away", title, words: `${trouble ? asSentence(trouble) : words} This page tries again by itself.` }];
  }
  if (reached && models.length === 0) {
    const words = "As soon as one is deployed it is shown here, by itself.";
    return [{ kind: "plain", title: "There is no model here yet", words }];
  }
  if (models.length > 1 && models.every((model) => model.state !== "ready")) {
    const states = models.map(({ id, state }) => `${id} is ${state}`).join(", ");
    const words = `${states}. Pictures are kept, and labelled as soon as it can be.`;
    return [{ kind: "away", title: "No model can answer now", words }];
  }
  return [];
}

function describeGate({ queue, pictures }, model) {
  const { reason, until } = queue.gate(model);
  if (!reason) return [];
  const said = asSentence(reason.message);
  const waiting = pictures.filter((picture) => picture.labellings.get(model)?.pending).length;
  if (waiting === 0) {
    const words = `${said} This page looks again by itself; pictures that you show now are kept.`;
    return [{ kind: reason.again, title: reason.title, words }];
  }
  const kept = waiting === 1 ? "The picture is kept." : `The ${waiting} pictures are kept.`;
  const action = { text: "Try now", act: () => queue.hurry(model) };
  return [{ kind: reason.again, title: reason.title, words: `${said} ${kept}`, until, action }];
}

/** Write a server's words, which begin small and end without a point, as a sentence. @param {string} words @returns {string} */
export function asSentence(words) {
  return words && `${words[0].toUpperCase()}${words.slice(1)}${/[.!?…]$/.test(words) ? "" : "."}`;
}

function describeCard(card, model) {
  if (!card) return [];
  if (card.trained === false) {
    const names = hasPlaceholders(card) ? " Its labels are placeholders, too." : "";
    const words = `Its weights are random: the labels mean nothing.${names}`;
    return [{ kind: "doubt", title: `${model} is untrained`, words }];
  }
  if (!hasPlaceholders(card)) return [];
  const words = `Its labels are placeholders, such as “${card.labels[0]}”.`;
  return [{ kind: "doubt", title: `${model} has no names for what it sees`, words }];
}
