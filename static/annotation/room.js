// The room between the bars of the page: where the pictures go in it, or what to ask for.

import { arrange } from "./places.js";
import { texts } from "./texts.js";
import { screenInDevicePixels } from "./viewing.js";

const inDevicePixels = (width, height, ratio) => ({
  width: Math.floor(width * ratio),
  height: Math.floor(height * ratio),
});

export class Room {
  #above;
  #below;
  #smallest_px;
  #cover;

  constructor(root, { when_small, smallest_crop_px }, cover) {
    this.#above = root.getElementById("above");
    this.#below = root.getElementById("below");
    this.#smallest_px = when_small === "crop" ? smallest_crop_px : Infinity;
    this.#cover = cover;
    visualViewport?.addEventListener("resize", () => this.#guardAgainstPinch());
    this.#guardAgainstPinch();
  }

  /** The arrangement (see arrange()) of pictures of this size; null, and a cover, if none fits. */
  arrange(picture, controls, ratio) {
    const top = Math.ceil(this.#above.getBoundingClientRect().bottom * ratio);
    const bottom = Math.floor(this.#below.getBoundingClientRect().top * ratio);
    const found = inDevicePixels(innerWidth, innerHeight, ratio);
    const screen = screenInDevicePixels();
    const bars = found.height - (bottom - top);
    const arrangement = arrange({
      count: controls.places.length,
      picture,
      room: { left: 0, top, width: found.width, height: bottom - top },
      full: { width: screen.width, height: screen.height - bars },
      ratio,
      smallest_px: this.#smallest_px,
      controls: controls.sizes(ratio),
    });
    if (arrangement.fits) return arrangement;
    const { width, height } = arrangement.needed;
    this.#ask(found, screen, { width, height: height + bars });
    return null;
  }

  #ask(found, screen, needed) {
    if (needed.width > screen.width || needed.height > screen.height) {
      this.#cover.raise("small", texts.screenTooSmall(screen, needed));
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
