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

const rounded = (ms) => Math.round(ms * 1000) / 1000;

export class Showing {
  #entry;
  #events = [];
  #unseen = new Stopwatch();

  painted_ms = null;

  constructor(entry) {
    this.#entry = entry;
  }

  note(what, at = now()) {
    if (this.#events.length < MOST_EVENTS) this.#events.push({ at_ms: rounded(at), what });
  }

  /** Whether the pictures cannot be seen: the page is hidden, or something covers them. */
  setUnseen(isUnseen, at = now()) {
    this.#unseen.set(isUnseen, at);
  }

  paintedAt(at) {
    this.painted_ms = at;
    this.#unseen = new Stopwatch();
  }

  judgment({ side, at_ms, input }, clockResolution_ms) {
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
      client_time: new Date().toISOString(),
      device_pixel_ratio: devicePixelRatio,
      ...window_px(),
      input,
      events: this.#events,
    };
  }
}
