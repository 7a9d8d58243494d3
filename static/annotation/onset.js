// When a frame reached the screen, as the browser's own compositor reports it where it does.
//
// Chromium tells it of elements with "elementtiming" (to 4 ms); elsewhere the frame after the one
// that was drawn in is the best that a page can know.

import { nextFrame } from "./clock.js";

const TYPE = "element";
// On a machine that is busy with other things pictures come to the screen that late; a report that
// does not come at all is not waited for twice.
const PATIENCE_MS = 1000;
const PATIENCE_AFTER_NONE_MS = 100;

export class Onset {
  #n = 0;
  // id -> what to call with its time
  #waiting = new Map();
  #patience_ms = PATIENCE_MS;
  #isReported = PerformanceObserver.supportedEntryTypes.includes(TYPE);

  constructor() {
    if (!this.#isReported) return;
    const observer = new PerformanceObserver((list) => {
      for (const { identifier, renderTime } of list.getEntries()) {
        this.#waiting.get(identifier)?.(renderTime);
      }
    });
    observer.observe({ type: TYPE });
  }

  /** "compositor" or "frame": stored with the session, for the two differ by some milliseconds. */
  get toldBy() {
    return this.#isReported ? "compositor" : "frame";
  }

  /**
   * To be called inside the animation frame that draws, with a fresh, visible element with words:
   * it is painted together with what was drawn. Resolves to {at_ms, told}.
   */
  async of(element) {
    const id = `onset-${(this.#n += 1)}`;
    element.setAttribute("elementtiming", id);
    const reported = this.#reported(id);
    // What was drawn in a frame reaches the screen when the next one begins. That one's own time,
    // not the time at which its callback came to run, is the earliest at which it can be seen.
    const frame_ms = await nextFrame();
    const presented_ms = await reported;
    this.#waiting.delete(id);
    this.#patience_ms = presented_ms === null ? PATIENCE_AFTER_NONE_MS : PATIENCE_MS;
    return presented_ms === null
      ? { at_ms: frame_ms, told: "frame" }
      : { at_ms: presented_ms, told: this.toldBy };
  }

  #reported(id) {
    if (!this.#isReported) return Promise.resolve(null);
    return new Promise((resolve) => {
      // 0: painted, but at a time that is not to be told.
      this.#waiting.set(id, (at_ms) => resolve(at_ms > 0 ? at_ms : null));
      setTimeout(() => resolve(null), this.#patience_ms);
    });
  }
}
