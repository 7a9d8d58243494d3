// Where the pictures and their controls go, in whole device pixels: pure geometry.

const GAP_CSS = 24;
const SMALLEST_GAP_CSS = 8;
const MARGIN_CSS = 8;
/** Between a picture and its controls, and between controls. */
export const CONTROL_GAP_CSS = 8;

/** From the left edges of two things centred under two places to where they do not touch. */
export function apart(centres, widths, gap) {
  const overlap = (widths[0] + widths[1]) / 2 + gap - (centres[1] - centres[0]);
  const shift = Math.max(0, overlap) / 2;
  return [centres[0] - shift - widths[0] / 2, centres[1] + shift - widths[1] / 2];
}

/** Controls above and under the pictures. Lengths are device pixels, as everywhere below. */
function under({ heads, answers, extra }, distance, gap) {
  // What is in the middle keeps as far from the wider of the two.
  const between = distance - Math.max(answers[0].width, answers[1].width) - 2 * gap;
  const isExtraBelow = extra.height > 0 && extra.width > between;
  const height = (sizes) => Math.max(0, ...sizes.map((size) => size.height));
  const strip = (tall) => (tall > 0 ? tall + gap : 0);
  const row = height(isExtraBelow ? answers : [...answers, extra]);
  const width = (sizes) => sizes[0].width + gap + sizes[1].width;
  return {
    layout: "under",
    isExtraBelow,
    top: strip(height(heads)),
    bottom: strip(row) + (isExtraBelow ? strip(extra.height) : 0),
    sides: [0, 0],
    leastWidth: Math.max(width(heads), width(answers), extra.width),
    leastHeight: 0,
  };
}

/** Controls left and right of the pictures: a screen has more width to spare than height. */
function beside(columns, gap) {
  return {
    layout: "beside",
    isExtraBelow: false,
    top: 0,
    bottom: 0,
    sides: columns.map(({ width }) => (width > 0 ? width + gap : 0)),
    leastWidth: 0,
    leastHeight: Math.max(...columns.map((column) => column.height)),
  };
}

const BARE = { layout: "bare", top: 0, bottom: 0, sides: [0, 0], leastWidth: 0, leastHeight: 0 };

function fit(frame, { count, picture, room, smallest_px, margin, smallestGap }) {
  const least = {
    width: Math.min(picture.width, smallest_px),
    height: Math.min(picture.height, smallest_px),
  };
  const beside = (count - 1) * smallestGap + 2 * margin + frame.sides[0] + frame.sides[1];
  const around = frame.top + frame.bottom + 2 * margin;
  const part = {
    width: Math.min(picture.width, Math.floor((room.width - beside) / count)),
    height: Math.min(picture.height, room.height - around),
  };
  const needed = {
    width: Math.max(count * least.width + beside, frame.leastWidth + 2 * margin),
    height: Math.max(least.height + around, frame.leastHeight + 2 * margin),
  };
  const fits = needed.width <= room.width && needed.height <= room.height;
  return { ...frame, fits, needed, part, area: part.width * part.height };
}

/**
 * Pictures of one size, side by side, with their controls.
 *
 * room, full: the free area, and the largest that a full screen would give.
 * smallest_px: no smaller part of a picture is shown (the same, central one of all); Infinity:
 * only whole pictures.
 * controls: null, or {heads: [left, right], answers: [left, right], extra, columns: [left, right]},
 * each {width, height}.
 * Returns {fits, needed, layout, isExtraBelow, part: {left, top, width, height} in picture pixels,
 * places: [{left, top}]}.
 */
export function arrange({ count, picture, room, full, ratio, smallest_px, controls }) {
  const given = {
    count,
    picture,
    room,
    smallest_px,
    margin: Math.ceil(MARGIN_CSS * ratio),
    smallestGap: Math.ceil(SMALLEST_GAP_CSS * ratio),
  };
  const gap = Math.ceil(CONTROL_GAP_CSS * ratio);
  const bare = fit(BARE, given);
  const distance = (count - 1) * (bare.part.width + given.smallestGap);
  const tried = controls
    ? [fit(under(controls, distance, gap), given), fit(beside(controls.columns, gap), given)]
    : [bare];
  const fitting = tried.filter(({ fits }) => fits).sort((a, b) => b.area - a.area);
  const found =
    fitting[0] ??
    tried.find(({ needed }) => needed.width <= full.width && needed.height <= full.height) ??
    tried[0];
  return { ...found, part: central(found.part, picture), places: placesIn(found, given, ratio) };
}

function central(part, picture) {
  return {
    left: Math.floor((picture.width - part.width) / 2),
    top: Math.floor((picture.height - part.height) / 2),
    ...part,
  };
}

function placesIn({ part, sides, top, bottom }, { count, room, margin }, ratio) {
  const gaps = count - 1;
  const free = room.width - count * part.width;
  const least = [margin + sides[0], margin + sides[1]];
  const gap = Math.min(
    Math.round(GAP_CSS * ratio),
    Math.floor((free - least[0] - least[1]) / gaps),
  );
  // In the middle of the window, unless the controls of one side need more room than that leaves.
  const spare = free - gaps * gap;
  const before = Math.min(Math.max(Math.floor(spare / 2), least[0]), spare - least[1]);
  const above = top + Math.floor((room.height - top - bottom - part.height) / 2);
  return Array.from({ length: count }, (_, index) => ({
    left: room.left + before + index * (part.width + gap),
    top: room.top + above,
  }));
}
