// How long the pictures of one trial may be seen: time behind a cover is not seen time.

import { now } from "./clock.js";

const SHORTEST_WAIT_MS = 16;

export class TimeLimit {
  #limit_ms;
  #timer = null;
  #showing = null;
  #onUp = null;

  /** limit_s: null where there is none. */
  constructor(limit_s) {
    this.#limit_ms = limit_s === null ? Infinity : limit_s * 1000;
  }

  /** `onUp` is called once, when this showing's pictures were seen for the whole time. */
  begin(showing, onUp) {
    this.#showing = showing;
    this.#onUp = onUp;
    this.#wait();
  }

  end() {
    clearTimeout(this.#timer);
    this.#showing = null;
  }

  #wait() {
    if (!this.#showing || this.#limit_ms === Infinity) return;
    const left_ms = this.#limit_ms - this.#showing.seen_ms(now());
    if (left_ms <= 0) this.#onUp();
    // Covered meanwhile, the time left is still what it was: then it is waited for once more.
    else this.#timer = setTimeout(() => this.#wait(), Math.max(left_ms, SHORTEST_WAIT_MS));
  }
}
