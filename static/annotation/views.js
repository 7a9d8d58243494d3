// Which view is on the screen, since when, how long each picture has been there, what comes next.

const NAMES = ["original", "left", "right"];
// Frames are stamped with a grain; a switch shall not wait another frame for a part of it.
const GRAIN_MS = 1;

/** All times are given by the caller, on one clock. */
export class Views {
  #views;
  #shortest_ms;
  #shown = null;
  // Since when it can be seen; Infinity: it is drawn, but for the next frame.
  #since_ms = Infinity;
  // What was asked for and is not drawn yet; and where the view comes to rest after that.
  #next = null;
  #rest = null;
  // {at_ms, view}, view null while nothing can be seen.
  #log = [];

  /** views: {view: [pictures]}; no view is left sooner than after shortest_ms. */
  constructor(views, shortest_ms) {
    this.#views = views;
    this.#shortest_ms = shortest_ms;
    this.#shown = this.#rest = Object.keys(views)[0];
  }

  get shown() {
    return this.#shown;
  }

  get isWaiting() {
    return this.#next !== null;
  }

  /** The view other than the one that is shown, or null. */
  get other() {
    return Object.keys(this.#views).find((view) => view !== this.#shown) ?? null;
  }

  /** What was asked for too early stays asked for: even a short press shows its view in the end. */
  ask(view) {
    this.#rest = view;
    if (this.#next === null && view !== this.#shown) this.#next = view;
  }

  /** The view to be drawn in the frame of this time; null: none is due. */
  takeDue(frame_ms) {
    if (this.#next === null) return null;
    if (frame_ms < this.#since_ms + this.#shortest_ms - GRAIN_MS) return null;
    this.#shown = this.#next;
    this.#since_ms = Infinity;
    this.#next = this.#rest === this.#shown ? null : this.#rest;
    return this.#shown;
  }

  /** What was drawn last has come to the screen, for the first time or again. */
  seen(at_ms) {
    this.#since_ms = at_ms;
    this.#log.push({ at_ms, view: this.#shown });
  }

  /** Nothing can be seen from now on; what was asked for is forgotten. */
  pause(at_ms, view = this.#shown) {
    this.#shown = this.#rest = view;
    this.#next = null;
    this.#log.push({ at_ms, view: null });
  }

  switches(at_ms) {
    const seen = this.#until(at_ms).filter(({ view }) => view !== null);
    return seen.filter(({ view }, index) => index > 0 && view !== seen[index - 1].view).length;
  }

  /** {original, left, right}: how long each picture was on the screen. */
  dwell_ms(at_ms) {
    const dwell = Object.fromEntries(NAMES.map((name) => [name, 0]));
    const entries = this.#until(at_ms);
    entries.forEach(({ at_ms: from_ms, view }, index) => {
      if (view === null) return;
      const to_ms = entries[index + 1]?.at_ms ?? at_ms;
      for (const name of new Set(this.#views[view])) dwell[name] += to_ms - from_ms;
    });
    return dwell;
  }

  #until(at_ms) {
    return this.#log.filter((entry) => entry.at_ms <= at_ms);
  }
}
