// Waits for the next trial whose pictures are here, and says for what where it takes long.

import { now } from "./clock.js";
import { texts } from "./texts.js";

// Shorter waits pass unnoticed; a notice that flashes would not.
const SILENT_WAIT_MS = 150;
const LOOK_AGAIN_MS = 3000;

export class Waiting {
  #upcoming;
  #sender;
  #outbox;
  #cover;
  #ending;

  constructor({ upcoming, sender, outbox, cover, ending }) {
    this.#upcoming = upcoming;
    this.#sender = sender;
    this.#outbox = outbox;
    this.#cover = cover;
    this.#ending = ending;
  }

  /** null when there is none left, or the server ended the session. */
  async next() {
    const silentUntil = now() + SILENT_WAIT_MS;
    for (;;) {
      const entry = this.#upcoming.first;
      if (this.#ending.isDue) return null;
      if (entry?.pictures) return entry;
      if (!entry && this.#sender.isSettled) {
        if (this.#sender.isDone) return null;
        await this.#lookAgain();
        continue;
      }
      if (now() >= silentUntil) this.#cover.raise("loading", this.#why(entry));
      await this.#somethingChanged(silentUntil - now());
    }
  }

  async #lookAgain() {
    this.#cover.raise("loading", texts.noneFree);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    this.#sender.wake();
  }

  #why(entry) {
    if (entry?.failure) return texts.notLoading(entry.failure.message);
    if (this.#sender.isAway) return texts.away(this.#outbox.size);
    return texts.loading;
  }

  #somethingChanged(atMost_ms) {
    return new Promise((resolve) => {
      const stop = new AbortController();
      const changed = () => {
        stop.abort();
        resolve();
      };
      if (atMost_ms > 0) setTimeout(changed, atMost_ms);
      this.#upcoming.addEventListener("change", changed, { signal: stop.signal });
      this.#sender.addEventListener("change", changed, { signal: stop.signal });
    });
  }
}
