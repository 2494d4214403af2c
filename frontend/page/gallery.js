/** Many pictures at once: a card for each, which fills in as its answers come. */

import { find, make, makeImage, redraw } from "./elements.js";
import { writeShare } from "./figures.js";
import { compare } from "./result.js";

/** Draws the cards, and one of them again when its picture has changed. */
export class Gallery {
  /** @type {Map<import("./picture.js").Picture, {item: HTMLElement, open: HTMLElement, words: HTMLElement}>} */
  #cards = new Map();
  #session;
  #open;

  /**
   * @param {import("./session.js").Session} session
   * @param {(picture: import("./picture.js").Picture) => void} open shows a picture in large
   */
  constructor(session, open) {
    this.#session = session;
    this.#open = open;
    find("gallery-clear").addEventListener("click", () => {
      session.clear();
      find("pick").focus();
    });
  }

  /** Draw a card for each picture of the session, where there are many. */
  draw() {
    const { pictures } = this.#session;
    const many = pictures.length > 1 ? pictures : [];
    find("gallery").hidden = many.length === 0;
    const refuge = find(many.length ? "gallery-title" : pictures.length ? "result-title" : "pick");
    for (const [picture, { item }] of this.#cards) {
      if (many.includes(picture)) continue;
      if (item.contains(document.activeElement)) refuge.focus({ preventScroll: true });
      item.remove();
      this.#cards.delete(picture);
    }
    for (const picture of many) if (!this.#cards.has(picture)) this.#cards.set(picture, this.#make(picture));
    find("cards").append(...many.map((picture) => this.#cards.get(picture).item));
    for (const picture of many) this.drawCard(picture);
  }

  /** Draw a picture's card again. @param {import("./picture.js").Picture} picture */
  drawCard(picture) {
    const card = this.#cards.get(picture);
    if (!card) return;
    const labellings = this.#session.models.map((model) => picture.labelling(model));
    const alike = labellings.length === 2 && refusedAlike(...labellings);
    const lines = alike
      ? [this.#describeRefusal(labellings, "")]
      : labellings.map((labelling, index) => this.#describe(labelling, index ? "second" : "first"));
    const verdict = compare(labellings);
    const agreed = verdict && make("p", { class: "soft" }, verdict.startsWith("Both") ? "they agree" : "they differ");
    card.item.dataset.status = labellings.map((labelling) => labelling.status).join(" ");
    redraw(card.words, [...lines, agreed], card.open);
    this.#count();
  }

  #make(picture) {
    const { name } = picture;
    const words = make("div", { class: "words" });
    const open = make("button",
      { type: "button", class: "open", "aria-label": `Open ${name} in large`, onclick: () => this.#open(picture) },
      makeImage(picture, ""),
    );
    const remove = make("button", {
      type: "button", class: "remove", "aria-label": `Remove ${name}`, title: "Remove",
      onclick: () => this.#session.remove(picture),
    }, make("span", { "aria-hidden": "true" }, "×"));
    return { item: make("li", { class: "card" }, open, remove, make("p", { class: "file" }, name), words), open, words };
  }

  #describe(labelling, side) {
    const { answer } = labelling;
    if (labelling.status === "refused") return this.#describeRefusal([labelling], side);
    if (!answer) return make("p", { class: `line ${side} soft` }, this.#describeWait(labelling));
    const [best] = answer.predictions;
    const share = make("span", { class: "number" }, writeShare(best.probability));
    return make("p", { class: `line ${side}` }, make("span", { class: "name" }, best.label), share);
  }

  #describeRefusal(labellings, side) {
    const [{ picture, refusal }] = labellings;
    const models = labellings.map((labelling) => labelling.model).join(" and ");
    const again = refusal.final ? null : make("button", {
      type: "button", class: "quiet", "data-key": `again ${models}`, "aria-label": `Try ${picture.name} again at ${models}`,
      onclick: () => labellings.forEach((labelling) => this.#session.queue.add(labelling)),
    }, "Try again");
    return make("div", { class: `line ${side}` }, make("p", { class: "refused" }, refusal.message), again);
  }

  #describeWait({ model, status }) {
    const away = this.#session.queue.gate(model).reason;
    if (away) return `waiting: ${away.title}`;
    return status === "asking" ? "looking …" : "waiting for its turn";
  }

  #count() {
    const { pictures, models } = this.#session;
    const answered = pictures.filter((picture) => models.every((model) => picture.labelling(model).answer)).length;
    const refused = pictures.filter((picture) => models.some((model) => picture.labelling(model).refusal)).length;
    const text = `${answered} of ${pictures.length} labelled${refused ? `, ${refused} not` : ""}`;
    if (find("gallery-count").textContent !== text) find("gallery-count").textContent = text;
    this.#drawLegend();
  }

  /** Say which colour is which model, and how often they agree. */
  #drawLegend() {
    const { pictures, models } = this.#session;
    const legend = find("gallery-legend");
    legend.hidden = models.length < 2;
    const verdicts = pictures.map((picture) => compare(models.map((model) => picture.labelling(model)))).filter(Boolean);
    const agreed = verdicts.filter((verdict) => verdict.startsWith("Both")).length;
    const words = verdicts.length ? `They agree on ${agreed} of ${verdicts.length}.` : "";
    const drawn = JSON.stringify([models, words]);
    if (legend.dataset.drawn === drawn) return;
    legend.dataset.drawn = drawn;
    const names = models.map((model, index) => make("span", { class: `key ${index ? "second" : "first"}` }, model));
    redraw(legend, [...names, words]);
  }
}

function refusedAlike(one, two) {
  return one.status === "refused" && two.status === "refused" && one.refusal.message === two.refusal.message;
}
