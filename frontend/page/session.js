/** The session: which pictures are shown, which models label them, and what has been labelled before. */

import { writeCount, writeShare } from "./figures.js";
import { Picture } from "./picture.js";
import { DEFAULT_TOP } from "./prediction.js";
import { Queue } from "./queue.js";
import { Refusal } from "./refusal.js";
import { say } from "./speech.js";

const MOST_HISTORY = 50;
/** A browser has six connections to a host. One is kept for the catalogue, and the cards take theirs. */
const MOST_TOGETHER = 5;
const MOST_ALONE = 4;
const MOST_COMPARED = 2;

/**
 * @typedef {Object} Listener
 * @property {(picture: Picture) => void} pictureChanged
 * @property {() => void} picturesChanged others are shown
 * @property {(labelled?: Picture) => void} historyChanged some are forgotten, or one has another answer
 * @property {(model: string) => void} modelChanged its gate was shut or opened
 */

/** Holds the pictures, and sees to it that every model that is chosen labels each of them. */
export class Session {
  /** Shown now. @type {Picture[]} */
  pictures = [];
  /** Labelled before, the last one first. @type {Picture[]} */
  history = [];
  /** The model that is chosen and the one to compare it with; "" for none. */
  model = "";
  other = "";
  /** How many labels to show. */
  top = DEFAULT_TOP;

  /**
   * @param {Listener} listener
   * @param {import("./catalogue.js").Catalogue} catalogue
   * @param {import("./card.js").Cards} cards
   */
  constructor(listener, catalogue, cards) {
    this.listener = listener;
    this.catalogue = catalogue;
    this.cards = cards;
    const heard = { moved: (labelling) => this.#moved(labelling), gated: (model, what) => this.#gated(model, what) };
    this.queue = new Queue(
      heard,
      (model) => ({ top: this.topOf(model), most: catalogue.maxBodyBytes }),
      () => ({ each: this.other ? MOST_COMPARED : MOST_ALONE, together: Math.max(1, MOST_TOGETHER - cards.asking) }),
    );
  }

  /** The models that are chosen, at most two. @returns {string[]} */
  get models() {
    return [this.model, this.other].filter(Boolean);
  }

  /**
   * Return how a model is: what the catalogue says, unless it was seen to be otherwise.
   * @param {string} model
   * @param {string} told by the catalogue
   * @returns {string}
   */
  stateOf(model, told) {
    return told === "ready" ? (this.queue.gate(model).reason?.again ?? told) : told;
  }

  /** Whether something waits for a model, be it a picture or the page itself for a card. */
  get troubled() {
    const ready = this.models.filter((model) => this.catalogue.stateOf(model) === "ready");
    return this.queue.troubled || ready.some((model) => this.cards.get(model) === null);
  }

  /** How many labels to ask a model for; null for its own number, which is enough. @param {string} model */
  topOf(model) {
    const known = this.cards.get(model)?.labels.length ?? DEFAULT_TOP;
    return this.top > DEFAULT_TOP && known > DEFAULT_TOP ? Math.min(this.top, known) : null;
  }

  /** Choose the models; pictures stay, and are labelled anew. @param {string} model @param {string} other */
  choose(model, other) {
    this.model = model;
    this.other = other === model ? "" : other;
    for (const picture of this.pictures) {
      for (const labelling of picture.labellings.values()) {
        if (!this.models.includes(labelling.model)) this.queue.remove(labelling);
      }
    }
    for (const chosen of this.models) this.cards.load(chosen);
    this.watch();
    this.ask();
  }

  /**
   * Show pictures in place of those that are shown. Those that wait for a model that is away stay too, a sample that is
   * clicked twice but once.
   * @param {Picture[]} fresh
   */
  show(fresh) {
    const again = (picture) => picture.sample !== null && fresh.some((other) => other.sample === picture.sample);
    const waits = (picture) => !this.models.length || this.models.some((model) => this.#waits(picture, model));
    const kept = this.pictures.filter((picture) => !fresh.includes(picture) && !again(picture) && waits(picture));
    const left = this.pictures.filter((picture) => !fresh.includes(picture) && !kept.includes(picture));
    this.pictures = [...fresh, ...kept];
    for (const picture of left) this.#leave(picture);
    this.listener.picturesChanged();
    this.ask();
  }

  /** Show a picture no more. @param {Picture} picture */
  remove(picture) {
    this.pictures = this.pictures.filter((other) => other !== picture);
    this.#leave(picture);
    this.listener.picturesChanged();
  }

  /** Show none. */
  clear() {
    const left = this.pictures;
    this.pictures = [];
    for (const picture of left) this.#leave(picture);
    this.listener.picturesChanged();
  }

  /** Forget what was labelled before. */
  clearHistory() {
    const forgotten = this.history.filter((picture) => !this.pictures.includes(picture));
    this.history = [];
    for (const picture of forgotten) picture.forget();
    this.listener.historyChanged();
  }

  /** Try again at once what waits for a model. */
  hurry() {
    for (const model of this.models) this.queue.hurry(model);
  }

  /** Ask the models that are chosen for every label that is missing. */
  ask() {
    for (const picture of this.pictures) {
      for (const model of this.models) {
        const labelling = picture.labelling(model);
        const got = labelling.answer?.predictions.length ?? 0;
        const missing = labelling.status === "idle" || (labelling.status === "answered" && got < (this.topOf(model) ?? 0));
        if (missing) this.queue.add(labelling);
      }
    }
  }

  /**
   * Believe the catalogue: a model that is not ready is not asked, one that has come back is asked at once.
   * @param {Map<string, string>} [before] the states before
   */
  watch(before = new Map()) {
    for (const model of this.models) {
      const state = this.catalogue.stateOf(model);
      const gate = this.queue.gate(model);
      if (state === "ready") {
        const cameBack = before.has(model) && before.get(model) !== "ready";
        if (gate.reason && (cameBack || !this.#awaited(model))) this.queue.open(model);
        this.cards.load(model);
      } else if (state !== "gone" && gate.reason === null && this.catalogue.reached) {
        gate.shut(describeState(model, state), performance.now());
        this.#gated(model, "shut");
      }
    }
  }

  #awaited(model) {
    return this.pictures.some((picture) => picture.labelling(model).pending);
  }

  #waits(picture, model) {
    return picture.labelling(model).pending && this.queue.gate(model).reason !== null;
  }

  #leave(picture) {
    for (const labelling of picture.labellings.values()) this.queue.remove(labelling);
    if (!this.history.includes(picture)) picture.forget();
  }

  #gated(model, what) {
    if (!this.models.includes(model)) return;
    const { reason } = this.queue.gate(model);
    if (what === "shut") {
      say(`${reason.title}. ${this.#awaited(model) ? "The picture is kept, and tried again by itself." : ""}`);
      this.catalogue.ask();
    }
    if (what === "open") {
      say(`${model} is back.`);
      this.cards.load(model);
    }
    this.listener.modelChanged(model);
    for (const picture of this.pictures) this.listener.pictureChanged(picture);
  }

  #moved(labelling) {
    const { picture, model, answer } = labelling;
    if (labelling.status === "answered") {
      this.cards.load(model, answer.revision);
      this.#remember(picture);
    }
    this.listener.pictureChanged(picture);
    if (!labelling.pending && this.pictures.includes(picture)) this.#tell(labelling);
  }

  #remember(picture) {
    if (!this.history.includes(picture)) this.history.unshift(picture);
    for (const old of this.history.splice(MOST_HISTORY)) if (!this.pictures.includes(old)) old.forget();
    this.listener.historyChanged(picture);
  }

  #tell({ picture, model, answer, refusal }) {
    if (this.pictures.length === 1) {
      const [best] = answer?.predictions ?? [];
      say(refusal ? `${picture.name}: ${refusal.message}` : `${model} says ${best.label}, ${writeShare(best.probability)}.`);
      return;
    }
    const labellings = this.pictures.flatMap((shown) => this.models.map((chosen) => shown.labelling(chosen)));
    if (labellings.some((other) => other.pending)) return;
    const failed = this.pictures.filter((shown) => this.models.some((chosen) => shown.labelling(chosen).refusal));
    const good = writeCount(this.pictures.length - failed.length, "picture");
    say(failed.length ? `${good} labelled, ${failed.length} not.` : `${good} labelled.`);
  }
}

function describeState(model, state) {
  return state === "loading"
    ? new Refusal("It has started, and can’t answer yet.", "away", { title: `${model} is loading` })
    : new Refusal("Nothing answers at its address.", "away", { title: `${model} is down` });
}
