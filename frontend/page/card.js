/** Models' cards: what they were trained on, how well they do, their labels and samples. */

import { LONGEST_SECONDS } from "./prediction.js";

/**
 * As `GET /model/<id>` answers it; docs/api.md has its fields.
 * @typedef {Object} Card
 * @property {string} revision
 * @property {boolean} trained
 * @property {string} labels_source
 * @property {string[]} labels
 * @property {Array<{path: string, label: string}>} samples
 */

/** Fetches each model's card once, and again when the model has another revision. */
export class Cards {
  /** @type {Map<string, Card>} */
  #cards = new Map();
  #asking = new Set();
  #changed;

  /** @param {(model: string) => void} changed called when a card has come */
  constructor(changed) {
    this.#changed = changed;
  }

  /** How many cards are being asked for now. @returns {number} */
  get asking() {
    return this.#asking.size;
  }

  /** Return a model's card, null as long as there is none. @param {string} model @returns {Card|null} */
  get(model) {
    return this.#cards.get(model) ?? null;
  }

  /**
   * Fetch a model's card, unless it is there. A failure is passed over: whoever needs the card asks again.
   * @param {string} model
   * @param {string} [revision] that it should have, where that is known
   */
  async load(model, revision) {
    const known = this.#cards.get(model);
    if (!model || this.#asking.has(model) || (known && (!revision || known.revision === revision))) return;
    this.#asking.add(model);
    try {
      const response = await fetch(`/model/${encodeURIComponent(model)}`, {
        cache: "no-cache", signal: AbortSignal.timeout(1000 * LONGEST_SECONDS),
      });
      const card = response.ok ? await response.json() : null;
      if (!Array.isArray(card?.labels)) return;
      this.#cards.set(model, { ...card, samples: card.samples ?? [], labels_source: card.labels_source ?? "" });
      this.#changed(model);
    } catch {
      // the model is away, a proxy's page came, or nothing for too long: the gate before it says so
    } finally {
      this.#asking.delete(model);
    }
  }
}

/** Whether a model's labels stand in for real ones. @param {Card} card @returns {boolean} */
export function hasPlaceholders(card) {
  return card.labels_source.toLowerCase().startsWith("placeholder");
}
