// Points on the page become points of the pictures: zoom and pan as hands wish them, and notes.

import { Zoom } from "./zoom.js";

// A drag is noted once, when it has come to rest.
const REST_MS = 250;

export class Magnifying {
  #zoom;
  #onChange;
  #note;
  #arrangement = null;
  #resting = null;

  /** onChange(): to draw anew, now; note(what): what belongs into the judgment's events. */
  constructor(largest, { onChange, note }) {
    this.#zoom = new Zoom(largest);
    this.#onChange = onChange;
    this.#note = note;
  }

  get zoom() {
    return this.#zoom;
  }

  /** Another trial: one to one. */
  reset() {
    clearTimeout(this.#resting);
    this.#zoom.reset();
  }

  /** arrangement: see arrange(). */
  lieOn(arrangement) {
    this.#arrangement = arrangement;
    this.#zoom.setSize(arrangement.part);
  }

  /** client: the point that keeps what it shows, as events tell it; without one, the middle. */
  to(level, client) {
    if (!this.#zoom.to(level, this.#pointAt(client))) return;
    const { x, y } = this.#zoom.centre;
    this.#note(`zoom ${this.#zoom.level} at ${x},${y}`);
    this.#onChange();
  }

  panByCss(x, y) {
    this.#moved(this.#zoom.panBy(x * devicePixelRatio, y * devicePixelRatio));
  }

  /** By so much of a place. */
  panByShare(x, y) {
    const { width, height } = this.#arrangement.part;
    this.#moved(this.#zoom.panBy(x * width, y * height));
  }

  centreAt(client) {
    this.#moved(this.#zoom.centreAt(this.#pointAt(client)));
  }

  #moved(hasMoved) {
    if (!hasMoved) return;
    this.#onChange();
    clearTimeout(this.#resting);
    const { x, y } = this.#zoom.centre;
    this.#resting = setTimeout(() => this.#note(`at ${x},${y}`), REST_MS);
  }

  #pointAt(client) {
    if (!client) return undefined;
    const { places, part } = this.#arrangement;
    const points = places.map(({ left, top }) => ({
      x: client.x * devicePixelRatio - left,
      y: client.y * devicePixelRatio - top,
    }));
    const isIn = ({ x, y }) => x >= 0 && y >= 0 && x < part.width && y < part.height;
    return points.find(isIn);
  }
}
