// One image pixel on one device pixel, at any device pixel ratio, fractional ones included.

const GAP_CSS = 24;
const SMALLEST_GAP_CSS = 8;
const MARGIN_CSS = 8;
const ON_GRID_PX = 0.005;
// The usual ratios (screen scale x browser zoom) meet both grids at least every 40 CSS pixels.
const WIDEST_STEP_CSS = 100;
// Linear 18 %, the same as the page's (trial.css).
const GROUND = "rgb(119, 119, 119)";

/**
 * Where pictures of one size go, side by side, in whole device pixels.
 * room: {left, top, width, height} of the free area in device pixels.
 * Returns {needed, fits, places: [{left, top}]}.
 */
export function sideBySide(count, picture, room, ratio) {
  const margin = Math.ceil(MARGIN_CSS * ratio);
  const smallestGap = Math.ceil(SMALLEST_GAP_CSS * ratio);
  const gaps = count - 1;
  const pictures = count * picture.width;
  const needed = {
    width: pictures + gaps * smallestGap + 2 * margin,
    height: picture.height + 2 * margin,
  };
  const fits = needed.width <= room.width && needed.height <= room.height;
  const spare = room.width - pictures - 2 * margin;
  const gap = Math.min(Math.round(GAP_CSS * ratio), Math.floor(spare / gaps));
  const left = room.left + Math.floor((room.width - pictures - gaps * gap) / 2);
  const top = room.top + Math.floor((room.height - picture.height) / 2);
  const places = Array.from({ length: count }, (_, index) => ({
    left: left + index * (picture.width + gap),
    top,
  }));
  return { needed, fits, places };
}

/** Lays an element over a place given in device pixels. */
export function layOver(element, place, size, ratio) {
  element.style.left = `${place.left / ratio}px`;
  element.style.top = `${place.top / ratio}px`;
  element.style.width = `${size.width / ratio}px`;
  element.style.height = `${size.height / ratio}px`;
}

/** The next whole number of CSS pixels that is also a whole number of device pixels. */
function wholeInBoth(css, ratio) {
  for (let tried = css; tried < css + WIDEST_STEP_CSS; tried += 1) {
    if (Math.abs(tried * ratio - Math.round(tried * ratio)) < ON_GRID_PX) return tried;
  }
  return css;
}

/**
 * One canvas over the whole window, drawn upon in device pixels.
 *
 * Engines snap an element's edges to device pixels or, when they emulate a ratio, to CSS pixels;
 * an element of its own for each picture is then shifted or stretched by a fraction of a pixel.
 * This canvas begins at the window's corner and ends where both grids meet (beyond the window's
 * edge), so there is nothing to snap: each of its pixels is one of the screen's.
 */
export class Surface {
  #canvas;
  #context;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  /** Covers the window anew with the ground; everything drawn before is gone. */
  cover(ratio) {
    for (const [side, css] of [["width", innerWidth], ["height", innerHeight]]) {
      const device = Math.round(wholeInBoth(css, ratio) * ratio);
      if (this.#canvas[side] !== device) this.#canvas[side] = device;
      this.#canvas.style[side] = `${device / ratio}px`;
    }
    this.#context.fillStyle = GROUND;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  draw(picture, { left, top }) {
    this.#context.drawImage(picture, left, top);
  }
}

/** Calls back whenever the device pixel ratio changes: browser zoom, or another monitor. */
export function onRatioChange(changed) {
  const watch = () => {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", () => (changed(), watch()), { once: true });
  };
  watch();
}
