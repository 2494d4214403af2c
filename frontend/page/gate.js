/** The gate before a model: shut while it is away or busy, tried again at growing intervals. */

const FIRST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 15;

/**
 * Spread the tries of pages that were refused together, over half of their wait.
 * @param {number} wait in seconds
 * @param {number} least the server's Retry-After, in seconds: it is never tried before
 * @returns {number} seconds until the next try
 */
export function spreadWait(wait, least) {
  return Math.max(wait, least) + (wait * Math.random()) / 2;
}

/** Holds back the pictures of one model, so that they do not all knock at once. */
export class Gate {
  /** Why it is shut; null while it is open. @type {import("./refusal.js").Refusal|null} */
  reason = null;
  /** When the next one may try, by performance.now(). */
  until = 0;
  /** Whether one is trying now. */
  probing = false;
  /** How many requests are on their way. */
  running = 0;

  #attempts = 0;
  #shutAt = 0;

  /** Whether a picture may pass now: any through an open gate, one at a time through a shut one whose time has come. */
  get passable() {
    return this.reason === null || (!this.probing && performance.now() >= this.until);
  }

  /**
   * Shut it, for longer each time that it stays shut.
   * @param {import("./refusal.js").Refusal} reason
   * @param {number} began when the request began that was refused: those that were on the way together count once
   * @returns {boolean} whether something is new to the reader
   */
  shut(reason, began) {
    const fresh = this.reason?.title !== reason.title;
    const counts = began >= this.#shutAt;
    this.reason = reason;
    if (counts) {
      const wait = Math.min(FIRST_WAIT_SECONDS * 2 ** this.#attempts, LONGEST_WAIT_SECONDS);
      this.#attempts += 1;
      this.#shutAt = performance.now();
      this.until = this.#shutAt + 1000 * spreadWait(wait, reason.retryAfter);
    } else {
      this.until = Math.max(this.until, performance.now() + 1000 * reason.retryAfter);
    }
    return fresh;
  }

  /** Let the next one try at once. */
  hurry() {
    this.until = 0;
  }

  /** Let one try at once, though another still hangs there, and begin anew with short waits: the model is said to be back. */
  expect() {
    this.until = 0;
    this.probing = false;
    this.#attempts = 0;
  }

  /** Open it. @returns {boolean} whether it was shut */
  open() {
    const wasShut = this.reason !== null;
    this.reason = null;
    this.#attempts = 0;
    this.until = 0;
    return wasShut;
  }
}
