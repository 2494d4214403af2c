/** A picture that somebody showed, with the answers that it got. */

let number = 0;

/** Holds the bytes, an address to show them at, and a labelling for each model that was asked. */
export class Picture {
  id = ++number;
  /** @type {Map<string, Labelling>} by the model's id */
  labellings = new Map();

  /**
   * @param {Blob} blob the bytes, as they will be sent
   * @param {string} name the file's, or what a sample is called
   * @param {string|null} [sample] the path of the sample that it is
   */
  constructor(blob, name, sample = null) {
    this.blob = blob;
    this.name = name;
    this.sample = sample;
    this.url = URL.createObjectURL(blob);
  }

  /**
   * Return what became of it at a model.
   * @param {string} model
   * @returns {Labelling}
   */
  labelling(model) {
    if (!this.labellings.has(model)) this.labellings.set(model, new Labelling(this, model));
    return this.labellings.get(model);
  }

  /** Give back the memory of the preview; the picture is not shown again. */
  forget() {
    URL.revokeObjectURL(this.url);
  }
}

/** One picture and one model: to be asked, being asked, answered or refused. */
export class Labelling {
  /** @type {"idle"|"waiting"|"asking"|"answered"|"refused"} */
  status = "idle";
  /** The last answer; it stays while the model is asked for more labels. @type {import("./prediction.js").Answer|null} */
  answer = null;
  /** @type {import("./refusal.js").Refusal|null} */
  refusal = null;
  /** How often an upload was too slow. */
  slowUploads = 0;
  /** When it may be sent again, by performance.now(). */
  notBefore = 0;
  /** @type {AbortController|null} */
  abort = null;

  /**
   * @param {Picture} picture
   * @param {string} model
   */
  constructor(picture, model) {
    this.picture = picture;
    this.model = model;
  }

  /** Whether the model still owes an answer. */
  get pending() {
    return this.status === "waiting" || this.status === "asking";
  }
}
