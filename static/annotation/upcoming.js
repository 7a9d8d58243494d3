// Trials leased ahead, their pictures fetched and decoded before anybody waits for them.

import { now } from "./clock.js";
import { untilDone } from "./retrying.js";

const LONGEST_DELAY_MS = 8_000;

async function decoded(url) {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${response.status}`);
  // No conversion: the numbers in the file are the numbers on the canvas.
  return createImageBitmap(await response.blob(), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
}

async function picturesOf(trial) {
  const [left, original, right] = await Promise.all(
    [trial.left, trial.original, trial.right].map(decoded),
  );
  for (const picture of [left, original, right]) {
    if (picture.width !== trial.width || picture.height !== trial.height) {
      const found = `${picture.width} x ${picture.height}`;
      throw new Error(`Found a picture of ${found}; expected ${trial.width} x ${trial.height}.`);
    }
  }
  return { left, original, right };
}

/** A trial with its pictures; goes round again when its answer is taken back. */
class Entry {
  supersedes = null;
  number = null;
  pictures = null;
  decoded_ms = null;
  failure = null;

  constructor(trial, onChange) {
    this.trial = trial;
    this.#load(onChange);
  }

  async #load(onChange) {
    this.pictures = await untilDone(() => picturesOf(this.trial), {
      longest_ms: LONGEST_DELAY_MS,
      mayPass: () => true,
      onFailure: (error) => {
        this.failure = error;
        onChange();
      },
    });
    this.decoded_ms = now();
    this.failure = null;
    onChange();
  }

  close() {
    for (const picture of Object.values(this.pictures)) picture.close();
  }
}

export class Upcoming extends EventTarget {
  #ahead;
  #entries = [];
  // Every trial this page has had: one that was answered a moment ago may be offered once more.
  #known = new Set();

  constructor(ahead) {
    super();
    this.#ahead = ahead;
  }

  get ids() {
    return this.#entries.map(({ trial }) => trial.id);
  }

  /** How many more to lease: the one on the screen is not ahead. */
  get room() {
    return Math.max(0, this.#ahead + 1 - this.#entries.length);
  }

  /** The trial that comes next, its pictures perhaps still on their way. */
  get first() {
    return this.#entries[0] ?? null;
  }

  add(trials) {
    for (const trial of trials) {
      if (this.#known.has(trial.id)) continue;
      this.#known.add(trial.id);
      this.#entries.push(new Entry(trial, () => this.dispatchEvent(new Event("change"))));
    }
  }

  /** The first trial leaves: it was answered. */
  shift() {
    return this.#entries.shift();
  }

  /** Its answer was refused: if the server offers it again, it is shown again. */
  forget(trial) {
    this.#known.delete(trial);
  }

  putBack(entry) {
    this.#entries.unshift(entry);
  }
}
