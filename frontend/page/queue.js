/** The queue of pictures that wait for labels: few requests at once to each model, and a gate before it. */

import { Gate, spreadWait } from "./gate.js";
import { predict } from "./prediction.js";
import { Refusal, pageFailed } from "./refusal.js";

const MOST_SLOW_UPLOADS = 3;

/**
 * @typedef {Object} Listener
 * @property {(labelling: import("./picture.js").Labelling) => void} moved a labelling has another status
 * @property {(model: string, what: "shut"|"still"|"open") => void} gated a model's gate was shut for a new reason, stays
 *   shut, or is open again
 */

/** Sends what waits, as soon as it may go. */
export class Queue {
  /** @type {Set<import("./picture.js").Labelling>} in the order of their coming */
  #waiting = new Set();
  /** @type {Map<string, Gate>} */
  #gates = new Map();
  #timer = 0;
  #listener;
  #options;
  #limits;

  /**
   * @param {Listener} listener
   * @param {(model: string) => {top: number|null, most: number}} options of a request to a model
   * @param {() => {each: number, together: number}} limits how many requests may be on their way, to one model and to all
   */
  constructor(listener, options, limits) {
    this.#listener = listener;
    this.#options = options;
    this.#limits = limits;
  }

  /** Return the gate before a model. @param {string} model @returns {Gate} */
  gate(model) {
    if (!this.#gates.has(model)) this.#gates.set(model, new Gate());
    return this.#gates.get(model);
  }

  /** Whether any gate is shut. */
  get troubled() {
    return [...this.#gates.values()].some((gate) => gate.reason !== null);
  }

  /** Ask for labels, as soon as it can be. @param {import("./picture.js").Labelling} labelling */
  add(labelling) {
    labelling.abort?.abort();
    labelling.refusal = null;
    labelling.status = "waiting";
    labelling.notBefore = 0;
    this.#waiting.add(labelling);
    this.#listener.moved(labelling);
    this.pump();
  }

  /** Ask no more; a request that is on its way is cancelled. @param {import("./picture.js").Labelling} labelling */
  remove(labelling) {
    this.#waiting.delete(labelling);
    labelling.abort?.abort();
    labelling.abort = null;
    if (labelling.pending) labelling.status = labelling.answer ? "answered" : "idle";
  }

  /** Try a model again now, whatever its gate waits for. @param {string} model */
  hurry(model) {
    this.gate(model).hurry();
    this.pump();
  }

  /**
   * Believe that a model is back: one of those that wait tries first, and the gate opens to the rest when it was let in.
   * @param {string} model
   */
  open(model) {
    const gate = this.gate(model);
    if ([...this.#waiting].some((labelling) => labelling.model === model)) gate.expect();
    else if (gate.open()) this.#listener.gated(model, "open");
    this.pump();
  }

  get #running() {
    return [...this.#gates.values()].reduce((sum, gate) => sum + gate.running, 0);
  }

  /** Send what may go. */
  pump() {
    clearTimeout(this.#timer);
    const now = performance.now();
    const { each, together } = this.#limits();
    let next = Infinity;
    for (const labelling of this.#waiting) {
      const gate = this.gate(labelling.model);
      const from = Math.max(labelling.notBefore, gate.reason ? gate.until : 0);
      const room = gate.running < each && this.#running < together;
      if (room && from <= now && gate.passable) this.#send(labelling, gate);
      else if (from > now) next = Math.min(next, from);
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.pump(), next - now + 5);
  }

  async #send(labelling, gate) {
    const abort = new AbortController();
    const probing = gate.reason !== null;
    const began = performance.now();
    this.#waiting.delete(labelling);
    gate.running += 1;
    gate.probing ||= probing;
    labelling.abort = abort;
    labelling.status = "asking";
    this.#listener.moved(labelling);
    const { model, picture } = labelling;
    let answer = null;
    let error = null;
    try {
      answer = await predict(model, picture, { ...this.#options(model), signal: abort.signal });
    } catch (caught) {
      error = caught;
    }
    gate.running -= 1;
    if (probing) gate.probing = false;
    if (!abort.signal.aborted) {
      labelling.abort = null;
      if (answer) this.#take(labelling, gate, answer);
      else this.#refuse(labelling, gate, error, began);
    }
    this.pump();
  }

  #take(labelling, gate, answer) {
    labelling.answer = answer;
    labelling.status = "answered";
    labelling.slowUploads = 0;
    if (gate.open()) this.#listener.gated(labelling.model, "open");
    this.#listener.moved(labelling);
  }

  #refuse(labelling, gate, caught, began) {
    if (!(caught instanceof Refusal)) console.error(caught);
    const error = caught instanceof Refusal ? caught : pageFailed();
    if (error.again === "never" || (error.again === "upload" && labelling.slowUploads >= MOST_SLOW_UPLOADS - 1)) {
      labelling.refusal = error;
      labelling.status = "refused";
      labelling.slowUploads = 0;
      if (gate.open()) this.#listener.gated(labelling.model, "open"); // what refuses a picture is there again
    } else {
      labelling.status = "waiting";
      this.#waiting.add(labelling);
      if (error.again === "upload") {
        labelling.slowUploads += 1;
        labelling.notBefore = performance.now() + 1000 * spreadWait(2 ** labelling.slowUploads, error.retryAfter);
      } else {
        this.#listener.gated(labelling.model, gate.shut(error, began) ? "shut" : "still");
      }
    }
    this.#listener.moved(labelling);
  }
}
