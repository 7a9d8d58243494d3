// The original in the centre, a reconstruction at each side, all at one image pixel a device pixel.

import { layOver, onRatioChange, sideBySide, Surface } from "./pixels.js";
import { texts } from "./texts.js";

const ORDER = ["left", "original", "right"];

const inDevicePixels = (width, height, ratio) => ({
  width: Math.floor(width * ratio),
  height: Math.floor(height * ratio),
});

export class SideBySide extends EventTarget {
  #frames;
  #above;
  #below;
  #cover;
  #surface;
  #entry = null;

  constructor(root, cover) {
    super();
    this.#cover = cover;
    this.#frames = ORDER.map((name) => root.getElementById(name));
    this.#surface = new Surface(root.getElementById("surface"));
    this.#above = root.getElementById("above");
    this.#below = root.getElementById("below");
    addEventListener("resize", () => this.#changed(`window ${innerWidth}x${innerHeight}`));
    onRatioChange(() => this.#changed(`ratio ${devicePixelRatio}`));
    visualViewport?.addEventListener("resize", () => this.#guardAgainstPinch());
    this.#guardAgainstPinch();
  }

  /** Replaces all three pictures at once; to be called inside an animation frame. */
  show(entry) {
    this.#entry = entry;
    this.#layOut();
  }

  #changed(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
    if (this.#entry) this.#layOut();
  }

  #layOut() {
    const ratio = devicePixelRatio;
    const top = Math.ceil(this.#above.getBoundingClientRect().bottom * ratio);
    const bottom = Math.floor(this.#below.getBoundingClientRect().top * ratio);
    const found = inDevicePixels(innerWidth, innerHeight, ratio);
    const room = { left: 0, top, width: found.width, height: bottom - top };
    const size = { width: this.#entry.trial.width, height: this.#entry.trial.height };
    const { fits, needed, places } = sideBySide(ORDER.length, size, room, ratio);
    this.#surface.cover(ratio);
    if (fits) {
      ORDER.forEach((name, index) => {
        this.#surface.draw(this.#entry.pictures[name], places[index]);
        layOver(this.#frames[index], places[index], size, ratio);
      });
      this.#cover.lift("small");
    } else {
      const bars = found.height - room.height;
      this.#askForRoom(found, { width: needed.width, height: needed.height + bars }, ratio);
    }
  }

  #askForRoom(found, needed, ratio) {
    const full = inDevicePixels(screen.width, screen.height, ratio);
    if (needed.width > full.width || needed.height > full.height) {
      this.#cover.raise("small", texts.screenTooSmall(full, needed));
      return;
    }
    const text = texts.tooSmall(found, needed);
    const act = () => document.documentElement.requestFullscreen();
    this.#cover.raise("small", text, [{ label: text.fullScreen, act }]);
  }

  #guardAgainstPinch() {
    // A pinch magnifies what is painted without changing the ratio: pixels are no longer 1:1.
    const isPinched = Math.abs((visualViewport?.scale ?? 1) - 1) > 0.001;
    if (isPinched) this.#cover.raise("pinched", texts.pinched);
    else this.#cover.lift("pinched");
  }
}
