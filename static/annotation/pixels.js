// One image pixel on one device pixel, at any device pixel ratio, fractional ones included.

const GAP_CSS = 24;
const SMALLEST_GAP_CSS = 8;
const MARGIN_CSS = 8;
const ON_GRID_PX = 0.02;

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

/** Puts an absolutely placed element at a whole device pixel, at `size` device pixels. */
export function snap(element, place, size, ratio) {
  const style = element.style;
  style.width = `${size.width / ratio}px`;
  style.height = `${size.height / ratio}px`;
  style.left = `${place.left / ratio}px`;
  style.top = `${place.top / ratio}px`;
  // The parent itself may begin between two device pixels: measure, and take the rest away.
  const found = element.getBoundingClientRect();
  const offLeft = found.left * ratio - place.left;
  const offTop = found.top * ratio - place.top;
  if (Math.abs(offLeft) > ON_GRID_PX) style.left = `${(place.left - offLeft) / ratio}px`;
  if (Math.abs(offTop) > ON_GRID_PX) style.top = `${(place.top - offTop) / ratio}px`;
}

/** Fills a canvas with a picture, pixel by pixel; old pixels go in the same frame. */
export function draw(canvas, picture) {
  if (canvas.width !== picture.width) canvas.width = picture.width;
  if (canvas.height !== picture.height) canvas.height = picture.height;
  canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0);
}

/** Calls back whenever the device pixel ratio changes: browser zoom, or another monitor. */
export function onRatioChange(changed) {
  const watch = () => {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", () => (changed(), watch()), { once: true });
  };
  watch();
}
