// How far one is, in words and as a line at the top that never goes back, over reloads too.

import { recall, remember } from "./remembering.js";
import { texts } from "./texts.js";

export class Progress {
  #name;
  #n_practice;
  #count;
  #bar;
  #farthest;

  /** Trials answered in this session, practice included; null until the server told. */
  answered = null;

  constructor({ session, n_practice }, count, bar) {
    this.#name = `triad-progress-${session}`;
    this.#n_practice = n_practice;
    this.#count = count;
    this.#bar = bar;
    this.#farthest = Number(recall(this.#name)) || 0;
    this.#draw(0);
  }

  /** One more trial is answered. */
  advance(total) {
    this.answered += 1;
    this.#draw(this.answered / total);
  }

  /** Main trials answered. */
  get n_main() {
    return this.answered - this.#n_practice;
  }

  /** Main trials in all, given the session's length with its practice. */
  mainOf(total) {
    return total - this.#n_practice;
  }

  /** Returns the words' element: a fresh one, whose painting can be told. */
  show(entry, total_) {
    entry.number ??= this.answered + 1;
    const total = Math.max(total_, entry.number);
    const number = entry.number - this.#n_practice;
    const words = document.createElement("div");
    words.textContent =
      number > 0
        ? texts.of(number, this.mainOf(total))
        : texts.practiceOf(entry.number, this.#n_practice);
    this.#count.replaceChildren(words);
    this.#draw(this.answered / total);
    return words;
  }

  #draw(share) {
    if (share > this.#farthest) {
      this.#farthest = share;
      remember(this.#name, share);
    }
    const percent = 100 * Math.min(1, this.#farthest);
    this.#bar.setAttribute("aria-valuenow", Math.round(percent));
    this.#bar.firstElementChild.style.width = `${percent}%`;
  }
}
