// Watches what the pictures are seen on: zoom, monitor, window, tab, and whether the study's
// requirements hold. A change while a trial is on covers the pictures until the person goes on.

import { now, stampOf } from "./clock.js";
import { onRatioChange } from "./pixels.js";
import { unmet } from "./requirements.js";
import { texts } from "./texts.js";

// A window that was moved, and a monitor that was plugged in, tell nobody in some browsers.
const LOOK_EVERY_MS = 500;
// Browser zoom rounds the window's size; another size is another by more than this.
const ROUNDING_CSS_PX = 2;

// When several changed, the first of these is told.
const TOLD_FIRST = ["monitor", "ratio", "window", "hidden", "blurred"];

/** The monitor, as far as a page may know it; its place tells apart two of one kind. */
const monitor = () =>
  JSON.stringify([
    screen.width,
    screen.height,
    screen.colorDepth,
    screen.isExtended,
    screen.availLeft,
    screen.availTop,
  ]);

const seenNow = () => ({
  ratio: devicePixelRatio,
  width: innerWidth * devicePixelRatio,
  height: innerHeight * devicePixelRatio,
  left: screenX,
  top: screenY,
  monitor: monitor(),
});

function kindsOf(before, after) {
  const kinds = [];
  if (before.monitor !== after.monitor) kinds.push("monitor");
  if (before.ratio !== after.ratio) kinds.push("ratio");
  const rounding = ROUNDING_CSS_PX * Math.max(before.ratio, after.ratio);
  const isResized = ["width", "height"].some(
    (side) => Math.abs(before[side] - after[side]) > (kinds.length ? rounding : 0),
  );
  const isMoved = before.left !== after.left || before.top !== after.top;
  if (isResized || (isMoved && kinds.length === 0)) kinds.push("window");
  return kinds;
}

/** Event "change", detail {kinds, at_ms}: what changed while a trial was on. */
export class Gate extends EventTarget {
  #requirements;
  #cover;
  #ways;
  #seen = seenNow();
  #isTrialOn = false;
  #changed = new Set();

  /** requirements: see requirements.js; ways: actions for whoever does not meet them. */
  constructor(requirements, cover, ways) {
    super();
    this.#requirements = requirements;
    this.#cover = cover;
    this.#ways = ways;
    const look = (event) => this.#look(stampOf(event));
    addEventListener("resize", look);
    onRatioChange(() => this.#look(now()));
    screen.addEventListener?.("change", look);
    setInterval(() => this.#look(now()), LOOK_EVERY_MS);
    addEventListener("blur", (event) => this.#tell(["blurred"], stampOf(event)));
    document.addEventListener("visibilitychange", (event) => {
      if (document.hidden) this.#tell(["hidden"], stampOf(event));
    });
    this.#judge();
  }

  /** The pictures are on the screen: from here on nothing may change. */
  begin() {
    const before = this.#seen;
    this.#seen = seenNow();
    // A change that nobody has looked at yet is between two trials; what the study asks for holds.
    if (kindsOf(before, this.#seen).length > 0) this.#judge();
    this.#isTrialOn = true;
  }

  /** The trial is over: what changes between two trials changes nothing. */
  end() {
    this.#isTrialOn = false;
  }

  #look(at_ms) {
    // A window that is minimised reports places that it is not at.
    if (document.hidden) return;
    const after = seenNow();
    const kinds = kindsOf(this.#seen, after);
    if (kinds.length === 0) return;
    this.#seen = after;
    this.#tell(kinds, at_ms);
    this.#judge();
  }

  #tell(kinds, at_ms) {
    if (!this.#isTrialOn) return;
    // Whoever enlarges a window that was too small is doing what the page asks for.
    const isCoveredAnyway = this.#cover.isUp && this.#changed.size === 0;
    this.dispatchEvent(new CustomEvent("change", { detail: { kinds, at_ms } }));
    if (isCoveredAnyway) return;
    kinds.forEach((kind) => this.#changed.add(kind));
    const first = TOLD_FIRST.find((kind) => this.#changed.has(kind));
    const goOn = { label: texts.goOn, act: () => this.#goOn() };
    this.#cover.raise("changed", texts.changed[first], [goOn]);
  }

  #goOn() {
    this.#changed.clear();
    this.#cover.lift("changed");
  }

  #judge() {
    const words = unmet(this.#requirements);
    if (words) this.#cover.raise("requirement", words, this.#ways);
    else this.#cover.lift("requirement");
  }
}
