// What each mode shows: which picture stands where in each of its views, and which controls.

const COPIES_OR_ORIGINAL = { copies: ["left", "right"], original: ["original", "original"] };

/**
 * views: {view: the picture of each place, from left to right}; a trial begins with the first.
 * places: the elements that lie over the places.
 * heads, answers: the controls of the left and of the right side; extra: those of neither.
 */
export const MODES = {
  side_by_side: {
    views: { all: ["left", "original", "right"] },
    places: ["place-left", "original", "place-right"],
    heads: [[], []],
    answers: [["left"], ["right"]],
    extra: ["zoom"],
  },
  toggle_original: {
    views: COPIES_OR_ORIGINAL,
    places: ["place-left", "place-right"],
    heads: [[], []],
    answers: [["left"], ["right"]],
    extra: ["show-original", "zoom"],
  },
  toggle_copies: {
    views: { left: ["original", "left"], right: ["original", "right"] },
    places: ["original", "place-right"],
    heads: [["caption"], ["views"]],
    answers: [[], ["left", "right"]],
    extra: ["zoom"],
  },
  flicker: {
    views: COPIES_OR_ORIGINAL,
    places: ["place-left", "place-right"],
    heads: [[], []],
    answers: [["left"], ["right"]],
    extra: ["zoom"],
  },
};
