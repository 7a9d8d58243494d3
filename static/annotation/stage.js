// How the pictures of a trial are shown: on one canvas, one image pixel on one device pixel.

import { now, stampOf } from "./clock.js";
import { Controls } from "./controls.js";
import { Hands } from "./hands.js";
import { Magnifying } from "./magnifying.js";
import { MODES } from "./modes.js";
import { onRatioChange, Surface } from "./pixels.js";
import { Playing } from "./playing.js";
import { Room } from "./room.js";
import { texts } from "./texts.js";

/** Event "change", detail: a short note for the judgment's events. */
export class Stage extends EventTarget {
  #config;
  #cover;
  #pictures;
  #surface;
  #controls;
  #room;
  #magnifying;
  #hands;
  #entry = null;
  #playing = null;
  // null: nothing is shown, or the window is too small for it.
  #arrangement = null;
  // The part of the pictures that was on the screen for the whole of the trial.
  #shown = null;
  #isHidden = false;
  // Whoever asked their system for less motion is asked before anything flickers.
  #mayMove;
  #note = (what) => this.dispatchEvent(new CustomEvent("change", { detail: what }));

  /** config: mode, flicker_hz, min_switches, shortest_view_ms, largest_zoom, when_small,
   * smallest_crop_px. */
  constructor(root, config, cover) {
    super();
    this.#config = config;
    this.#cover = cover;
    this.#pictures = MODES[config.mode].views;
    this.#surface = new Surface(root.getElementById("surface"));
    this.#controls = new Controls(root, config);
    this.#room = new Room(root, config, cover);
    const acts = { onChange: () => this.#draw(), note: this.#note };
    this.#magnifying = new Magnifying(config.largest_zoom, acts);
    this.#hands = new Hands(root, { stage: this, magnifying: this.#magnifying });
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#mayMove = config.mode !== "flicker" || !isStill;
    this.#watch();
  }

  /** Whether hands may do anything with the pictures: they can be seen. */
  get mayAct() {
    return this.#playing?.isSeen ?? false;
  }

  get isCovered() {
    return this.#cover.isUp;
  }

  /** Whether there is another view, and a person calls for it. */
  get switches() {
    return this.#config.mode.startsWith("toggle_");
  }

  /** Replaces all pictures at once by the first view of a trial; inside an animation frame. */
  show(entry) {
    this.end();
    this.#entry = entry;
    this.#shown = null;
    this.#isHidden = false;
    this.#magnifying.reset();
    this.#playing = new Playing(this.#config, { onView: () => this.#draw(), note: this.#note });
    this.#layOut();
    if (!this.#mayMove) this.#askToMove();
  }

  /** The first view has been on the screen since then: from here views count. */
  begin(painted_ms) {
    this.#playing.begin(painted_ms, this.#isToBeSeen);
    this.#keepShown();
  }

  /** Stops what moves; the pictures stay until others replace them. */
  end() {
    this.#hands.letGo();
    this.#playing?.end();
    this.#playing = this.#entry = this.#arrangement = null;
  }

  /** {n_switches, dwell_ms, flicker_hz, shown, zoom} of the trial until then. */
  measured(at_ms) {
    const zoom = this.#magnifying.zoom.largestUsed;
    return { ...this.#playing.measured(at_ms), shown: this.#shown, zoom };
  }

  /** How many changes of view are wanted before an answer; null: none. */
  missing(at_ms) {
    // What has disappeared cannot be looked at any more.
    if (this.#isHidden || this.#config.mode === "side_by_side") return null;
    const missing = this.#config.min_switches - this.#playing.switches(at_ms);
    return missing > 0 ? missing : null;
  }

  /** The original in the place of both copies, for as long as it is held. */
  hold(isHeld) {
    if (this.#config.mode === "toggle_original") this.#playing?.ask(isHeld ? "original" : "copies");
  }

  /** From copy A to copy B, and back. */
  switchOver() {
    if (this.#config.mode === "toggle_copies") this.#playing?.switchOver();
  }

  /** To one of the copies by its name; nothing if it is on. */
  see(view) {
    if (view !== this.#playing.view) this.switchOver();
  }

  /** The time is up: the places are empty, the answers stay. */
  hide() {
    this.#setHidden(true);
  }

  reveal() {
    this.#setHidden(false);
  }

  #watch() {
    addEventListener("resize", () => this.#changed(`window ${innerWidth}x${innerHeight}`));
    onRatioChange(() => this.#changed(`ratio ${devicePixelRatio}`));
    this.#cover.addEventListener("change", () => this.#lookWhetherSeen(now()));
    document.addEventListener("visibilitychange", (event) => this.#lookWhetherSeen(stampOf(event)));
  }

  #changed(what) {
    this.#note(what);
    if (this.#entry) this.#layOut();
    // Left as they were, the last pictures would be scaled.
    else this.#surface.cover(devicePixelRatio);
  }

  get #isToBeSeen() {
    return !this.#cover.isUp && !document.hidden && !this.#isHidden;
  }

  #lookWhetherSeen(at_ms) {
    if (!this.#isToBeSeen) this.#hands.letGo();
    this.#playing?.setSeen(this.#isToBeSeen, at_ms);
    this.#keepShown();
  }

  #setHidden(isHidden) {
    if (this.#isHidden === isHidden) return;
    this.#isHidden = isHidden;
    this.#lookWhetherSeen(now());
    this.#draw();
  }

  #layOut() {
    const ratio = devicePixelRatio;
    this.#arrangement = this.#room.arrange(this.#entry.trial, this.#controls, ratio);
    this.#surface.cover(ratio);
    if (!this.#arrangement) return;
    this.#magnifying.lieOn(this.#arrangement);
    this.#draw();
    this.#cover.lift("small");
    this.#keepShown();
  }

  #draw() {
    if (!this.#arrangement) return;
    const { places, part } = this.#arrangement;
    const { zoom } = this.#magnifying;
    const { view } = this.#playing;
    places.forEach((place, index) => {
      const picture = this.#entry.pictures[this.#pictures[view][index]];
      if (this.#isHidden) this.#surface.clear(place, part);
      else this.#surface.draw(picture, place, part, zoom);
    });
    this.#controls.tell(this.#arrangement, view, zoom);
  }

  /** Only what could be seen all the time was shown: central parts, each within the larger one. */
  #keepShown() {
    if (!this.#playing?.isSeen) return;
    const { part } = this.#arrangement;
    const before = this.#shown ?? part;
    this.#shown = {
      left: Math.max(part.left, before.left),
      top: Math.max(part.top, before.top),
      width: Math.min(part.width, before.width),
      height: Math.min(part.height, before.height),
    };
  }

  #askToMove() {
    const words = texts.stage.motion;
    const act = () => {
      this.#mayMove = true;
      this.#cover.lift("motion");
    };
    this.#cover.raise("motion", words, [{ label: words.start, act }]);
  }
}
