/** What was labelled in this session, the last first; a click shows it again. */

import { find, make, makeImage } from "./elements.js";
import { writeCount, writeShare } from "./figures.js";

const HOUR = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Draws an entry for each picture, and its words again when it was labelled again; its image is loaded once. */
export class History {
  /** @type {Map<import("./picture.js").Picture, {item: HTMLElement, button: HTMLElement, frame: HTMLElement}>} */
  #entries = new Map();
  #session;

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.#session = session;
    find("history-clear").addEventListener("click", () => {
      session.clearHistory();
      find("pick").focus();
    });
  }

  /**
   * Draw the history.
   * @param {import("./picture.js").Picture} [labelled] the picture that has another answer
   */
  draw(labelled) {
    const { history } = this.#session;
    find("history").hidden = history.length === 0;
    find("history-count").textContent = writeCount(history.length, "picture");
    for (const [picture, { item }] of this.#entries) {
      if (history.includes(picture)) continue;
      if (item.contains(document.activeElement)) find("history-clear").focus({ preventScroll: true });
      item.remove();
      this.#entries.delete(picture);
    }
    for (const picture of history.toReversed()) if (!this.#entries.has(picture)) this.#add(picture);
    if (this.#entries.has(labelled)) this.#describe(labelled);
  }

  #add(picture) {
    const button = make("button", { type: "button", onclick: () => this.#session.show([picture]) });
    const item = make("li", {}, button);
    this.#entries.set(picture, { item, button, frame: makeImage(picture, picture.name) });
    find("history-list").prepend(item); // a new one is the last that was labelled, and none ever moves
  }

  #describe(picture) {
    const { button, frame } = this.#entries.get(picture);
    const answered = [...picture.labellings.values()].filter((labelling) => labelling.answer);
    const newest = answered.toSorted((one, two) => two.answer.at - one.answer.at).slice(0, 2);
    const shown = answered.filter((labelling) => newest.includes(labelling));
    button.title = `${picture.name}, ${HOUR.format(newest[0].answer.at)}`;
    button.replaceChildren(frame, ...shown.flatMap(({ model, answer: { predictions: [best] } }) => [
      make("span", { class: "name" }, best.label),
      make("span", { class: "soft" }, writeShare(best.probability)),
      make("span", { class: "soft" }, model),
    ]));
  }
}
