// One showing of one trial: when it was painted, what happened meanwhile, and its judgment.

import { now, Stopwatch } from "./clock.js";
import { window_px } from "./viewing.js";

const MOST_EVENTS = 200;

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // randomUUID exists on https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** null where the computer's clock is so far off that its date has no common form. */
function dateOfClock() {
  const date = new Date();
  const year = date.getUTCFullYear();
  return year > 0 && year < 9999 ? date.toISOString() : null;
}

const rounded = (ms) => Math.round(ms * 1000) / 1000;

export class Showing {
  #entry;
  #events = [];
  #marks = new Set();
  #unseen = new Stopwatch();

  painted_ms = null;

  constructor(entry) {
    this.#entry = entry;
  }

  note(what, at = now()) {
    if (this.#events.length < MOST_EVENTS) this.#events.push({ at_ms: rounded(at), what });
  }

  /** What an analysis may want to leave such trials out for: ratio, window, monitor, hidden... */
  mark(kind) {
    this.#marks.add(kind);
  }

  /** Whether the pictures cannot be seen: the page is hidden, or something covers them. */
  setUnseen(isUnseen, at = now()) {
    this.#unseen.set(isUnseen, at);
  }

  paintedAt(at) {
    this.painted_ms = at;
    this.#unseen = new Stopwatch();
  }

  /** For how long the pictures could be seen. */
  seen_ms(at) {
    return at - this.painted_ms - this.#unseen.read(at);
  }

  /** `viewed`: what the stage measured. */
  judgment({ side, at_ms, input }, viewed, clockResolution_ms) {
    return {
      id: newId(),
      trial: this.#entry.trial.id,
      side,
      supersedes: this.#entry.supersedes,
      decoded_ms: rounded(this.#entry.decoded_ms),
      painted_ms: rounded(this.painted_ms),
      answered_ms: rounded(at_ms),
      response_ms: rounded(at_ms - this.painted_ms),
      hidden_ms: rounded(this.#unseen.read(at_ms)),
      clock_resolution_ms: clockResolution_ms,
      client_time: dateOfClock(),
      device_pixel_ratio: devicePixelRatio,
      ...window_px(),
      ...viewed,
      input,
      marks: [...this.#marks],
      events: this.#events,
    };
  }
}
