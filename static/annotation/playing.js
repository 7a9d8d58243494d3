// One showing of one trial in motion: its views frame by frame, by wish or by the clock.

import { Flicker } from "./flicker.js";
import { MODES } from "./modes.js";
import { Views } from "./views.js";

// Each is noted up to here; then one in so many, so that a slow computer fills no judgment.
const LATE_NOTED = 20;

const rounded = (ms) => Math.round(ms * 1000) / 1000;

export class Playing {
  #views;
  #flicker;
  #onView;
  #note;
  // The view that the trial goes back to when nobody holds a key.
  #atRest;
  #hasBegun = false;
  #isSeen = false;
  #isDrawn = false;
  #request = null;

  /** onView(view): to draw it, now; note(what): what belongs into the judgment's events. */
  constructor({ mode, flicker_hz, shortest_view_ms }, { onView, note }) {
    const isFlicker = mode === "flicker";
    this.#views = new Views(MODES[mode].views, isFlicker ? 0 : shortest_view_ms);
    this.#flicker = isFlicker ? new Flicker(flicker_hz) : null;
    this.#atRest = mode === "toggle_original" ? this.#views.shown : null;
    this.#onView = onView;
    this.#note = note;
  }

  get view() {
    return this.#views.shown;
  }

  get isSeen() {
    return this.#isSeen;
  }

  /** The first view came to the screen at this time, unless something hides it. */
  begin(at_ms, isSeen) {
    this.#hasBegun = true;
    if (isSeen) this.setSeen(true, at_ms);
  }

  end() {
    cancelAnimationFrame(this.#request);
    this.#request = null;
    this.#hasBegun = this.#isSeen = false;
  }

  /** Whether the pictures can be seen: covered time is no dwell, and nothing flickers in it. */
  setSeen(isSeen, at_ms) {
    if (!this.#hasBegun || isSeen === this.#isSeen) return;
    this.#isSeen = isSeen;
    this.#isDrawn = false;
    if (isSeen) {
      this.#views.seen(at_ms);
      this.#flicker?.start(at_ms);
      this.#run();
    } else {
      const before = this.#views.shown;
      this.#views.pause(at_ms, this.#atRest ?? before);
      if (this.#views.shown !== before) this.#onView(this.#views.shown);
    }
  }

  ask(view) {
    if (!this.#isSeen) return;
    this.#views.ask(view);
    this.#run();
  }

  /** The other view; asked for twice before it comes, it still comes once. */
  switchOver() {
    if (!this.#views.isWaiting) this.ask(this.#views.other);
  }

  switches(at_ms) {
    return this.#views.switches(at_ms);
  }

  measured(at_ms) {
    const dwell = Object.entries(this.#views.dwell_ms(at_ms));
    const rate_hz = this.#flicker?.rate_hz(at_ms) ?? null;
    return {
      n_switches: this.#views.switches(at_ms),
      dwell_ms: Object.fromEntries(dwell.map(([name, ms]) => [name, rounded(ms)])),
      flicker_hz: rate_hz === null ? null : rounded(rate_hz),
    };
  }

  #run() {
    this.#request ??= requestAnimationFrame((frame_ms) => {
      this.#request = null;
      if (this.#isSeen) this.#step(frame_ms);
    });
  }

  #step(frame_ms) {
    // What was drawn in one frame is on the screen when the next one begins.
    if (this.#isDrawn) {
      this.#isDrawn = false;
      this.#views.seen(frame_ms);
      if (!this.#flicker) this.#note(`view ${this.#views.shown}`);
    }
    if (this.#flicker?.takeDue(frame_ms)) this.#views.ask(this.#views.other);
    this.#noteLateness();
    const due = this.#views.takeDue(frame_ms);
    if (due !== null) {
      this.#onView(due);
      this.#isDrawn = true;
    }
    if (this.#flicker || this.#isDrawn || this.#views.isWaiting) this.#run();
  }

  #noteLateness() {
    const late = this.#flicker?.takeLate();
    if (!late || (late.count > LATE_NOTED && late.count % LATE_NOTED !== 0)) return;
    this.#note(`late change ${late.count}: ${Math.round(late.by_ms)} ms`);
  }
}
