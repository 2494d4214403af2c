/** The catalogue: which models there are and how they are, asked for again and again while the page is seen. */

const CALM_MS = 10_000;
const WORRIED_MS = 2_000;
const ANSWER_MS = 8_000;

/** @typedef {"ready"|"loading"|"down"} State */

/** Asks `/catalogue`, and tells `changed` when something is different, and at each answer that somebody waits for. */
export class Catalogue {
  /** @type {Array<{id: string, state: State}>} */
  models = [];
  /** The most bytes that a picture may have; infinite until the server has said it. */
  maxBodyBytes = Infinity;
  /** Whether the last question was answered; null before the first was. @type {boolean|null} */
  reached = null;
  /** What the server said in place of the list; null where nothing answered. @type {string|null} */
  trouble = null;

  #changed;
  #worried;
  #timer = 0;
  #asking = false;

  /**
   * @param {(before: Map<string, State>) => void} changed called with the states before
   * @param {() => boolean} worried whether something else than this list waits for a model
   */
  constructor(changed, worried) {
    this.#changed = changed;
    this.#worried = worried;
    document.addEventListener("visibilitychange", () => this.ask());
    addEventListener("online", () => this.ask());
  }

  /**
   * Return a model's state.
   * @param {string} id
   * @returns {State|"gone"}
   */
  stateOf(id) {
    return this.models.find((model) => model.id === id)?.state ?? "gone";
  }

  /** Ask now, if the page is seen, and then at intervals: short ones while something is not ready. */
  async ask() {
    clearTimeout(this.#timer);
    if (document.hidden || this.#asking) return;
    this.#asking = true;
    const before = new Map(this.models.map((model) => [model.id, model.state]));
    const told = this.#told();
    this.trouble = null;
    try {
      const answer = await fetch("/catalogue", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      const { models, max_body_bytes: most, error } = await answer.json();
      if (typeof error === "string") this.trouble = error;
      if (!answer.ok || !Array.isArray(models)) throw new Error("not a catalogue");
      this.models = models.map(({ id, state }) => ({ id: String(id), state }));
      this.maxBodyBytes = Number.isFinite(most) ? most : Infinity;
      this.reached = true;
    } catch {
      this.reached = false; // what was known of the models stays: they may be reached by another way
    } finally {
      this.#asking = false;
    }
    const worried = this.#worried();
    if (worried || this.#told() !== told) this.#changed(before);
    const calm = this.reached && this.models.every((model) => model.state === "ready") && !this.#worried();
    this.#timer = setTimeout(() => this.ask(), calm ? CALM_MS : WORRIED_MS);
  }

  #told() {
    return JSON.stringify([this.models, this.maxBodyBytes, this.reached, this.trouble]);
  }
}
