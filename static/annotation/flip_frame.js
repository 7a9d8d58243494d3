// Which part of a picture is seen in a place, at a whole magnification: pure geometry.

const clamped = (value, low, high) => Math.min(Math.max(value, low), high);

/** One for all places: pictures of one size magnify and move together. Lengths of a place are
 * device pixels; the centre is in pixels of the picture. */
export class Frame {
  #picture;
  #place = { width: 1, height: 1 };

  level = 1;
  centre;

  constructor(picture, largest = 8) {
    this.#picture = picture;
    this.largest = largest;
    this.centre = { x: picture.width / 2, y: picture.height / 2 };
  }

  /** Every place is as large as this one. */
  setPlace(place) {
    this.#place = place;
    this.moveTo(this.centre);
  }

  /** Magnifies; what is at the point (of the place) stays there, by default its middle. */
  to(level, point = { x: this.#place.width / 2, y: this.#place.height / 2 }) {
    const before = this.corner;
    const kept = { x: (point.x - before.x) / this.level, y: (point.y - before.y) / this.level };
    this.level = clamped(Math.round(level), 1, this.largest);
    const { width, height } = this.#place;
    this.moveTo({
      x: kept.x - (point.x - width / 2) / this.level,
      y: kept.y - (point.y - height / 2) / this.level,
    });
  }

  /** By so many device pixels, as a hand moves the picture. */
  panBy(x, y) {
    this.moveTo({ x: this.centre.x - x / this.level, y: this.centre.y - y / this.level });
  }

  /** The picture's point in the middle of the place; no empty room while there is picture. */
  moveTo({ x, y }) {
    const within = (value, length, room) => {
      const half = room / 2 / this.level;
      return 2 * half >= length ? length / 2 : clamped(value, half, length - half);
    };
    this.centre = {
      x: within(x, this.#picture.width, this.#place.width),
      y: within(y, this.#picture.height, this.#place.height),
    };
  }

  /** Where the picture's corner lies, in whole device pixels of the place. */
  get corner() {
    return {
      x: Math.round(this.#place.width / 2 - this.centre.x * this.level),
      y: Math.round(this.#place.height / 2 - this.centre.y * this.level),
    };
  }

  get size() {
    return { width: this.#picture.width * this.level, height: this.#picture.height * this.level };
  }
}
