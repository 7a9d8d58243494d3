// Keys, wheel, mouse and touch upon the pictures become wishes of the stage: switch, zoom, move.

import { keys } from "./keys.js";

// A wheel's notch is 100 pixels or 3 lines; a touch pad sends many small parts of one.
const WHEEL_STEP_PX = 50;
const LINE_PX = 33;
// A finger is not held still.
const STILL_CSS = 6;
// Of a place, for each press of Shift and an arrow.
const PAN_SHARE = 1 / 8;
const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Hands {
  #pictures;
  #stage;
  #magnifying;
  // The code of the key that is held: its letter may change with Shift.
  #held = null;
  #wheel_px = 0;
  // pointerId -> {x, y}
  #pointers = new Map();
  #drag = null;
  #pinch = null;

  constructor(root, { stage, magnifying }) {
    this.#pictures = root.getElementById("stage");
    this.#stage = stage;
    this.#magnifying = magnifying;
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("keyup", (event) => this.#keyUp(event));
    addEventListener("blur", () => this.letGo());
    addEventListener("wheel", (event) => this.#turn(event), { passive: true });
    this.#pictures.addEventListener("pointerdown", (event) => this.#down(event));
    this.#pictures.addEventListener("pointermove", (event) => this.#move(event));
    for (const over of ["pointerup", "pointercancel"]) {
      this.#pictures.addEventListener(over, (event) => this.#up(event));
    }
    // A long touch would otherwise open a menu over the picture that it is held to see.
    this.#pictures.addEventListener("contextmenu", (event) => event.preventDefault());
    this.#bindButtons(root);
  }

  /** Whatever is held or dragged no longer is. */
  letGo() {
    this.#held = null;
    this.#pointers.clear();
    this.#drag = this.#pinch = null;
    this.#release();
  }

  get #level() {
    return this.#magnifying.zoom.level;
  }

  #step(by, client) {
    this.#magnifying.to(this.#level + by, client);
  }

  /** place: the id of the picture that was pressed; null: a key or a button. */
  #press(place) {
    this.#stage.hold(true);
    if (place === null || place === "place-right") this.#stage.switchOver();
  }

  #release() {
    this.#stage.hold(false);
  }

  #bindButtons(root) {
    const click = (id, act) =>
      root.getElementById(id).addEventListener("click", () => this.#stage.mayAct && act());
    click("zoom-in", () => this.#step(1));
    click("zoom-out", () => this.#step(-1));
    click("see-left", () => this.#stage.see("left"));
    click("see-right", () => this.#stage.see("right"));
    const original = root.getElementById("show-original");
    original.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && this.#stage.mayAct) this.#press(null);
    });
    for (const over of ["pointerup", "pointercancel", "pointerleave"]) {
      original.addEventListener(over, () => this.#release());
    }
    original.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.repeat && this.#stage.mayAct) this.#hold(event);
    });
  }

  #hold(event) {
    this.#held = event.code;
    this.#press(null);
  }

  #keyDown(event) {
    this.#guardAnswers(event);
    if (!this.#stage.mayAct) return;
    const arrow = event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (arrow && event.key in ARROWS) {
      const [x, y] = ARROWS[event.key];
      this.#magnifying.panByShare(x * PAN_SHARE, y * PAN_SHARE);
      event.preventDefault();
      return;
    }
    const action = keys.actionOf(event);
    if (action === "zoom_in") this.#step(1);
    else if (action === "zoom_out") this.#step(-1);
    else if (action !== "switch" || !this.#stage.switches) return;
    else if (!event.repeat) this.#hold(event);
    event.preventDefault();
  }

  /** A key that switches presses no button, even between two trials: the focus may be on an
   * answer, and Space would give it. */
  #guardAnswers(event) {
    const isOurs = this.#stage.switches && !this.#stage.isCovered;
    if (isOurs && keys.actionOf(event) === "switch") event.preventDefault();
  }

  #keyUp(event) {
    this.#guardAnswers(event);
    if (event.code !== this.#held) return;
    event.preventDefault();
    this.#held = null;
    this.#release();
  }

  #turn(event) {
    // With Ctrl it is the browser's own zoom, which the gate watches.
    if (!this.#stage.mayAct || event.ctrlKey) return;
    const by_px = event.deltaY * (event.deltaMode === 0 ? 1 : LINE_PX);
    if (by_px * this.#wheel_px < 0) this.#wheel_px = 0;
    this.#wheel_px += by_px;
    if (Math.abs(this.#wheel_px) < WHEEL_STEP_PX) return;
    this.#step(-Math.sign(this.#wheel_px), pointOf(event));
    this.#wheel_px = 0;
  }

  #down(event) {
    const place = event.target.closest(".place, .picture");
    if (!place || event.button !== 0 || !this.#stage.mayAct) return;
    this.#pointers.set(event.pointerId, pointOf(event));
    if (this.#pointers.size === 2) {
      this.#drag = null;
      this.#release();
      this.#pinch = { distance: this.#distance(), level: this.#level };
    } else if (place.matches(".place")) {
      place.setPointerCapture(event.pointerId);
      if (this.#magnifying.zoom.isZoomed) this.#drag = { isStill: true, from: pointOf(event) };
      else this.#press(place.id);
    }
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const at = pointOf(event);
    if (this.#pinch) {
      this.#pointers.set(event.pointerId, at);
      const grown = this.#distance() / this.#pinch.distance;
      this.#magnifying.to(Math.round(this.#pinch.level * grown), this.#between());
    } else if (this.#drag && this.#leaves(at)) {
      this.#pointers.set(event.pointerId, at);
      this.#magnifying.panByCss(before.x - at.x, before.y - at.y);
    }
  }

  /** Whether a drag is one: a press that trembles is not. */
  #leaves(at) {
    const { from, isStill } = this.#drag;
    if (isStill && Math.hypot(at.x - from.x, at.y - from.y) < STILL_CSS) return false;
    this.#drag.isStill = false;
    return true;
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (this.#drag?.isStill && event.type === "pointerup") this.#magnifying.centreAt(this.#drag.from);
    this.#drag = null;
    if (this.#pointers.size === 0) this.#pinch = null;
    this.#release();
  }

  #distance() {
    const [a, b] = [...this.#pointers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  }

  #between() {
    const [a, b] = [...this.#pointers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }
}

const pointOf = ({ clientX, clientY }) => ({ x: clientX, y: clientY });
