// How far the pictures are magnified, in whole steps, and which part of them is looked at.

const clamped = (value, largest) => Math.min(Math.max(value, 0), largest);

/**
 * One for all places: they magnify and move together.
 * Lengths are device pixels; `offset` is what lies left of and above the place.
 */
export class Zoom {
  #largest;
  #size = { width: 0, height: 0 };

  level = 1;
  largestUsed = 1;
  offset = { x: 0, y: 0 };

  constructor(largest) {
    this.#largest = largest;
  }

  get isZoomed() {
    return this.level > 1;
  }

  get mayGrow() {
    return this.level < this.#largest;
  }

  /** A new trial begins at one to one. */
  reset() {
    this.level = this.largestUsed = 1;
    this.offset = { x: 0, y: 0 };
  }

  /** The size of a place; what is looked at stays as far as it can. */
  setSize(size) {
    this.#size = size;
    this.#moveTo(this.offset);
  }

  /** Magnifies so that the point (of the place, by default its middle) keeps what it shows. */
  to(level, point = this.#middle) {
    const before = this.level;
    this.level = clamped(level - 1, this.#largest - 1) + 1;
    this.largestUsed = Math.max(this.largestUsed, this.level);
    const grown = this.level / before;
    this.#moveTo({
      x: (this.offset.x + point.x) * grown - point.x,
      y: (this.offset.y + point.y) * grown - point.y,
    });
    return this.level !== before;
  }

  /** Returns whether anything moved. */
  panBy(x, y) {
    const before = this.offset;
    this.#moveTo({ x: before.x + x, y: before.y + y });
    return this.offset.x !== before.x || this.offset.y !== before.y;
  }

  /** Brings what is at a point of the place to its middle. */
  centreAt(point) {
    return this.panBy(point.x - this.#middle.x, point.y - this.#middle.y);
  }

  /** What is in the middle of a place, in pixels of the part that is shown. */
  get centre() {
    return {
      x: Math.floor((this.offset.x + this.#middle.x) / this.level),
      y: Math.floor((this.offset.y + this.#middle.y) / this.level),
    };
  }

  get #middle() {
    return { x: this.#size.width / 2, y: this.#size.height / 2 };
  }

  #moveTo({ x, y }) {
    this.offset = {
      x: clamped(Math.round(x), this.#size.width * (this.level - 1)),
      y: clamped(Math.round(y), this.#size.height * (this.level - 1)),
    };
  }
}
