// One clock for the whole page: performance.now(), which event.timeStamp and animation frames
// share, and which no change of the computer's date can move.

const LONGEST_PLAUSIBLE_DELAY_MS = 10_000;

export const now = () => performance.now();

/** The moment an event happened, not the moment its handler ran. */
export function stampOf(event) {
  const handled = now();
  const isPlausible =
    event.timeStamp <= handled + 1 && event.timeStamp > handled - LONGEST_PLAUSIBLE_DELAY_MS;
  // Some input methods and old browsers stamp with zero or with the date.
  return isPlausible ? event.timeStamp : handled;
}

/** Resolves inside the next animation frame, with that frame's own time. */
export const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** The smallest step that the clock is seen to take: browsers coarsen it, each in its own way. */
export function measureResolution(steps = 10) {
  let smallest = Infinity;
  const began = now();
  let before = began;
  // 60 ms is long enough for several steps of the coarsest common clock (16.7 ms).
  for (let seen = 0; seen < steps && before - began < 60; ) {
    const at = now();
    if (at > before) {
      smallest = Math.min(smallest, at - before);
      before = at;
      seen += 1;
    }
  }
  return Number.isFinite(smallest) ? smallest : null;
}

/** Frames per second, from the median distance of frames; null where frames do not come. */
export async function measureRefreshRate(frames = 40) {
  const gaps = [];
  let before = await nextFrame();
  while (gaps.length < frames) {
    const at = await nextFrame();
    gaps.push(at - before);
    before = at;
  }
  gaps.sort((a, b) => a - b);
  const median = gaps[Math.floor(gaps.length / 2)];
  return median > 0 ? 1000 / median : null;
}

/** Adds up the time in which something holds: here, that the pictures cannot be seen. */
export class Stopwatch {
  #total = 0;
  #since = null;

  set(isRunning, at = now()) {
    if (isRunning && this.#since === null) this.#since = at;
    if (!isRunning && this.#since !== null) {
      this.#total += at - this.#since;
      this.#since = null;
    }
  }

  read(at = now()) {
    return this.#total + (this.#since === null ? 0 : Math.max(0, at - this.#since));
  }
}
