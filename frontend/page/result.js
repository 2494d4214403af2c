/** A picture in large, with what the models say of it side by side. */

import { drawAnswer } from "./answer.js";
import { find, make, makeImage, redraw } from "./elements.js";
import { writeBytes } from "./figures.js";

/** Draws one picture into an element, and again when it has changed. */
export class Result {
  #picture = null;
  #box;
  #title;
  #answers = make("div", { class: "answers" });

  /** @param {HTMLElement} box @param {HTMLElement} title gets the focus where what had it has gone */
  constructor(box, title) {
    this.#box = box;
    this.#title = title;
  }

  /**
   * @param {import("./session.js").Session} session
   * @param {import("./picture.js").Picture} picture
   */
  draw(session, picture) {
    if (this.#picture !== picture) {
      this.#picture = picture;
      this.#answers = make("div", { class: "answers" });
      const image = makeImage(picture, `The picture: ${picture.name}`);
      const size = picture.sample ? "" : ` · ${writeBytes(picture.blob.size)}`;
      const caption = make("figcaption", {}, make("span", { class: "file" }, picture.name), size);
      this.#box.replaceChildren(make("div", { class: "result" }, make("figure", {}, image, caption), this.#answers));
    }
    const labellings = session.models.map((model) => picture.labelling(model));
    this.#answers.classList.toggle("two", labellings.length === 2);
    const drawn = labellings.map((labelling, index) => drawAnswer(session, labelling, index ? "second" : "first"));
    if (!drawn.length) drawn.push(make("p", { class: "soft" }, "There is no model to ask yet. The picture is kept."));
    redraw(this.#answers, [drawVerdict(labellings), ...drawn], this.#title);
  }

  /** Let go of the picture. */
  clear() {
    this.#picture = null;
    this.#box.replaceChildren();
  }
}

/**
 * Say whether two models agree.
 * @param {import("./picture.js").Labelling[]} labellings
 * @returns {string|null} null where there are not two answers
 */
export function compare(labellings) {
  if (labellings.length < 2 || !labellings.every((labelling) => labelling.answer)) return null;
  const [one, two] = labellings.map((labelling) => labelling.answer.predictions[0].label);
  if (one === two) return `Both say ${one}.`;
  return `They differ: ${labellings[0].model} says ${one}, ${labellings[1].model} says ${two}.`;
}

function drawVerdict(labellings) {
  const words = compare(labellings);
  return words && make("p", { class: words.startsWith("Both") ? "verdict agree" : "verdict differ" }, words);
}

/** The dialog with one of many pictures in large; Escape leaves it, arrows turn its pages. */
export class Large {
  /** Shown now; null while it is closed. @type {import("./picture.js").Picture|null} */
  picture = null;
  #session;
  #dialog = find("large");
  #title = find("large-title");
  #result = new Result(find("large-body"), this.#title);

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.#session = session;
    find("large-close").addEventListener("click", () => this.#dialog.close());
    find("large-previous").addEventListener("click", () => this.#turn(-1));
    find("large-next").addEventListener("click", () => this.#turn(1));
    this.#dialog.addEventListener("keydown", ({ key }) => {
      if (key === "ArrowLeft") this.#turn(-1);
      if (key === "ArrowRight") this.#turn(1);
    });
    this.#dialog.addEventListener("click", ({ target, clientX: x, clientY: y }) => {
      const box = this.#dialog.getBoundingClientRect();
      const beside = x < box.left || x > box.right || y < box.top || y > box.bottom;
      if (target === this.#dialog && beside) this.#dialog.close();
    });
    this.#dialog.addEventListener("close", () => {
      this.picture = null;
      this.#result.clear();
    });
  }

  /** Open it. @param {import("./picture.js").Picture} picture */
  open(picture) {
    this.picture = picture;
    this.draw();
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#title.focus();
  }

  /** Draw it again, because its picture or a model has changed. */
  draw() {
    if (!this.picture) return;
    const { pictures } = this.#session;
    const index = pictures.indexOf(this.picture);
    if (index < 0) {
      this.#dialog.close();
      return;
    }
    this.#title.textContent = `Picture ${index + 1} of ${pictures.length}`;
    this.#result.draw(this.#session, this.picture);
    find("large-previous").disabled = index === 0;
    find("large-next").disabled = index === pictures.length - 1;
  }

  #turn(step) {
    const { pictures } = this.#session;
    const next = pictures[pictures.indexOf(this.picture) + step];
    if (next) this.open(next);
  }
}
