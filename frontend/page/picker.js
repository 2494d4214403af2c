/** The choice of the models and of how many labels are shown. */

import { keepChoice, readChoice } from "./choice.js";
import { find } from "./elements.js";

const STATES = {
  ready: "ready", loading: "loading", down: "down", gone: "not here any more", away: "not answering", busy: "busy",
};

/** Fills the three selects, and keeps what is chosen in them. */
export class Picker {
  #catalogue;
  #model = find("model");
  #other = find("other");
  #top = find("top");
  /** Chosen by this browser's user, now or on an earlier visit; "" where nothing was. */
  #wanted = readChoice("model") ?? "";
  #compared = readChoice("other") ?? "";

  /**
   * @param {import("./catalogue.js").Catalogue} catalogue
   * @param {{models: () => void, top: () => void}} changed
   */
  constructor(catalogue, changed) {
    this.#catalogue = catalogue;
    const top = readChoice("top");
    if ([...this.#top.options].some((option) => option.value === top)) this.#top.value = top;
    this.#model.addEventListener("change", () => {
      this.choose(this.#model.value);
      changed.models();
    });
    this.#other.addEventListener("change", () => {
      this.#compared = this.#other.value;
      keepChoice("other", this.#compared);
      changed.models();
    });
    this.#top.addEventListener("change", () => {
      keepChoice("top", this.#top.value);
      changed.top();
    });
  }

  /**
   * The model to ask: the one that was chosen, else the first that was found ready, which then stays, else the first.
   * @returns {string}
   */
  get model() {
    const { models } = this.#catalogue;
    this.#wanted ||= models.find((model) => model.state === "ready")?.id ?? "";
    return this.#wanted || models[0]?.id || "";
  }

  /** The model to compare it with; "" for none. @returns {string} */
  get other() {
    const there = this.#catalogue.models.some((model) => model.id === this.#compared);
    return there && this.#compared !== this.model ? this.#compared : "";
  }

  /** How many labels to show. @returns {number} */
  get top() {
    return Number(this.#top.value);
  }

  /** Choose a model, and remember it. @param {string} model */
  choose(model) {
    this.#wanted = model;
    keepChoice("model", model);
  }

  /**
   * Write the models and their states into the selects.
   * @param {import("./session.js").Session} session
   */
  draw(session) {
    const shown = session.model;
    const models = this.#catalogue.models.map(({ id, state }) => ({ id, state: session.stateOf(id, state) }));
    const all = models.some((model) => model.id === shown) || !shown ? models : [{ id: shown, state: "gone" }, ...models];
    const none = { value: "", text: this.#catalogue.reached === null ? "looking …" : "no model" };
    fill(this.#model, all.length ? all.map(describe) : [none], shown);
    const others = models.filter((model) => model.id !== shown);
    fill(this.#other, [{ value: "", text: "no other model" }, ...others.map(describe)], this.other);
    this.#model.disabled = all.length === 0;
    this.#other.disabled = others.length === 0;
    find("model-dot").dataset.state = all.find((model) => model.id === shown)?.state ?? "";
    find("other-dot").dataset.state = others.find((model) => model.id === this.other)?.state ?? "";
  }
}

function describe({ id, state }) {
  return { value: id, text: `${id} · ${STATES[state] ?? state}` };
}

/** Write options into a select; where they are the same nothing is touched, since it may be open. */
function fill(select, options, value) {
  while (select.options.length > options.length) select.options[select.options.length - 1].remove();
  options.forEach((option, index) => {
    const found = select.options[index] ?? select.appendChild(new Option());
    if (found.value !== option.value) found.value = option.value;
    if (found.text !== option.text) found.text = option.text;
  });
  if (select.value !== value) select.value = value;
}
