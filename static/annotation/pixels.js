// One image pixel on one device pixel, at any device pixel ratio, fractional ones included.

const ON_GRID_PX = 0.005;
// The usual ratios (screen scale x browser zoom) meet both grids at least every 40 CSS pixels.
const WIDEST_STEP_CSS = 100;
// Linear 18 %, the same as the page's (trial.css).
const GROUND = "rgb(119, 119, 119)";

/** Lays an element over a place given in device pixels. */
export function layOver(element, place, size, ratio) {
  element.style.left = `${place.left / ratio}px`;
  element.style.top = `${place.top / ratio}px`;
  element.style.width = `${size.width / ratio}px`;
  element.style.height = `${size.height / ratio}px`;
}

/** The next whole number of CSS pixels that is also a whole number of device pixels. */
export function wholeInBoth(css, ratio) {
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

  /**
   * Fills a place with a part of a picture, each of its pixels a square of level x level.
   * place: {left, top}; part: {left, top, width, height} in picture pixels, the size of the place
   * too; offset: what of the magnified part lies left of and above the place.
   */
  draw(picture, place, part, { level, offset }) {
    const across = span(offset.x, part.width, level);
    const down = span(offset.y, part.height, level);
    const context = this.#context;
    context.save();
    context.imageSmoothingEnabled = false;
    context.beginPath();
    context.rect(place.left, place.top, part.width, part.height);
    context.clip();
    context.drawImage(
      picture,
      part.left + across.first,
      part.top + down.first,
      across.count,
      down.count,
      place.left + across.first * level - offset.x,
      place.top + down.first * level - offset.y,
      across.count * level,
      down.count * level,
    );
    context.restore();
  }

  /** The ground in a place: nothing to be seen there. */
  clear(place, { width, height }) {
    this.#context.fillStyle = GROUND;
    this.#context.fillRect(place.left, place.top, width, height);
  }
}

/** Which picture pixels can be seen, at least in part, in a place as long as the part. */
function span(offset, length, level) {
  const first = Math.floor(offset / level);
  return { first, count: Math.ceil((offset + length) / level) - first };
}

/** Calls back whenever the device pixel ratio changes: browser zoom, or another monitor. */
export function onRatioChange(changed) {
  const watch = () => {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", () => (changed(), watch()), { once: true });
  };
  watch();
}
