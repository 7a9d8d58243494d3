// When to change the picture so many times a second, by the clock; and how often it truly changed.

const ASSUMED_FRAME_MS = 1000 / 60;
const FRAMES_KEPT = 31;

/** Driven by the times of animation frames. Counting frames instead would run at the wrong rate
 * on every screen but one, and slow down with each frame that is dropped. */
export class Flicker {
  #interval_ms;
  #began_ms = 0;
  #taken = 0;
  #changed_ms = 0;
  // How much longer than planned the picture that is on was seen than the other one.
  #skew_ms = 0;
  #frame_ms = null;
  #gaps = [];
  // One for each stretch without interruption: {first_ms, last_ms, changes}.
  #stretches = [];
  #late = { count: 0, by_ms: 0 };
  #isLateNew = false;

  constructor(changesASecond_hz) {
    this.#interval_ms = 1000 / changesASecond_hz;
  }

  /** A change that came more than a frame after its time, once: {count (until now), by_ms}. */
  takeLate() {
    const isNew = this.#isLateNew;
    this.#isLateNew = false;
    return isNew ? this.#late : null;
  }

  start(at_ms) {
    this.#began_ms = this.#changed_ms = at_ms;
    this.#taken = this.#skew_ms = 0;
    this.#frame_ms = null;
    this.#stretches.push({ first_ms: null, last_ms: null, changes: 0 });
  }

  /** Whether the picture changes in the frame of this time; to be asked once in every frame. */
  takeDue(frame_ms) {
    if (this.#frame_ms !== null) this.#keepGap(frame_ms - this.#frame_ms);
    this.#frame_ms = frame_ms;
    const period_ms = this.#period_ms();
    const taken = this.#taken;
    // The frame nearest to the time. Only ever taking the one after it would make the changes
    // uneven wherever the rate divides the screen's: a frame is on time by chance, or just misses.
    while (frame_ms + period_ms / 2 >= this.#next_ms(period_ms)) this.#taken += 1;
    const passed = this.#taken - taken;
    if (passed === 0) return false;
    const due_ms = this.#began_ms + (taken + 1) * this.#interval_ms;
    if (frame_ms - due_ms > period_ms) this.#keepLate(frame_ms - due_ms);
    // Two changes missed are none: the picture is again the one that it should be.
    if (passed % 2 === 0) return false;
    const isEven = passed === 1;
    this.#skew_ms = isEven ? this.#interval_ms - (frame_ms - this.#changed_ms) - this.#skew_ms : 0;
    this.#changed_ms = frame_ms;
    const stretch = this.#stretches.at(-1);
    stretch.first_ms ??= frame_ms;
    stretch.last_ms = frame_ms;
    stretch.changes += 1;
    return true;
  }

  /** Changes a second until at_ms, interruptions apart; null before there were two. */
  rate_hz(at_ms) {
    let changes = 0;
    let span_ms = 0;
    this.#stretches.forEach(({ first_ms, last_ms, changes: n }, index) => {
      if (n < 2) return;
      changes += n - 1;
      // Where it stood still at the end, that counts against the rate.
      const isLast = index === this.#stretches.length - 1;
      const until_ms = isLast ? Math.max(last_ms, at_ms - 2 * this.#interval_ms) : last_ms;
      span_ms += until_ms - first_ms;
    });
    return changes > 0 ? (1000 * changes) / span_ms : null;
  }

  /** The next change's time. Where it falls between two frames, the picture that had more than its
   * share gives way to the other: else a rate might favour one of the two on some screens. */
  #next_ms(period_ms) {
    const lean_ms = (this.#skew_ms > 0 ? -period_ms : period_ms) / 4;
    return this.#began_ms + (this.#taken + 1) * this.#interval_ms + lean_ms;
  }

  #keepLate(by_ms) {
    this.#late = { count: this.#late.count + 1, by_ms };
    this.#isLateNew = true;
  }

  #keepGap(gap_ms) {
    this.#gaps.push(gap_ms);
    if (this.#gaps.length > FRAMES_KEPT) this.#gaps.shift();
  }

  #period_ms() {
    if (this.#gaps.length < 3) return ASSUMED_FRAME_MS;
    const sorted = [...this.#gaps].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }
}
