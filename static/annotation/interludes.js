// What comes between two trials: the end of the practice, a break. Not a moment of it is timed.

import { texts } from "./texts.js";

export class Interludes {
  #n_practice;
  #break_every;
  #cover;
  // The number of answers at which the last one came; a page that was just loaded needs none.
  #at = null;

  constructor({ n_practice, break_every }, cover) {
    this.#n_practice = n_practice;
    this.#break_every = break_every;
    this.#cover = cover;
  }

  /** Waits until the person goes on where one is due; whether there was one. */
  async pass(progress, total) {
    const isFirst = this.#at === null;
    const isSame = this.#at === progress.answered;
    const words = isSame ? null : this.#due(progress, total, isFirst);
    if (isFirst || words) this.#at = progress.answered;
    if (words) await this.#cover.untilGoneOn("break", words);
    return words !== null;
  }

  #due(progress, total, isFirst) {
    const n = progress.n_main;
    if (this.#n_practice > 0 && n === 0) return texts.practice.over(progress.mainOf(total));
    const isBreak = this.#break_every > 0 && n > 0 && n % this.#break_every === 0;
    return isBreak && !isFirst ? texts.pause(n, progress.mainOf(total)) : null;
  }
}
