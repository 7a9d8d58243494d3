// One triplet to be looked at closely: its pictures in one place, side by side, or their difference.

import { Frame } from "./flip_frame.js";
import { loaded } from "./flip_pictures.js";
import { read, VIEWS, written } from "./flip_state.js";
import { onRatioChange, wholeInBoth } from "./pixels.js";

// Of a place, for each press of shift and an arrow.
const PAN_SHARE = 1 / 8;
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const BESIDE = ["first", "original", "second"];
const GROUND = "rgb(119, 119, 119)";

const whole = (value, step) => Math.ceil(value / step - 1e-6) * step;

class Flip {
  #root;
  #pictures;
  #frame;
  #places;
  #canvases = [];
  #state;
  #isHeld = false;
  #drag = null;
  #sizes = new ResizeObserver(() => this.#layOut());

  constructor(root, pictures) {
    this.#root = root;
    this.#pictures = pictures;
    this.#frame = new Frame(pictures.size);
    this.#places = root.querySelector(".flip-places");
    this.#state = read(location.search);
    this.#bind();
    for (const part of root.querySelectorAll(":scope > [hidden]")) part.hidden = false;
    root.querySelector(".flip-plain").hidden = true;
    root.querySelector("[data-gain]").value = String(this.#state.gain);
    this.#restore();
    this.#arrange();
    this.#passOn();
  }

  #restore() {
    const { zoom, x, y } = this.#state;
    this.#frame.level = zoom;
    if (x !== null && y !== null) this.#frame.centre = { x, y };
  }

  get #shown() {
    if (this.#isHeld) return this.#state.view === "beside" ? BESIDE.map(() => "original") : ["original"];
    return this.#state.view === "beside" ? BESIDE : [this.#state.view];
  }

  /** As many canvases as pictures are seen at once. */
  #arrange() {
    this.#sizes.disconnect();
    const count = this.#state.view === "beside" ? BESIDE.length : 1;
    this.#canvases = Array.from({ length: count }, () => document.createElement("canvas"));
    const places = this.#canvases.map((canvas) => {
      const place = document.createElement("div");
      place.append(canvas);
      return place;
    });
    this.#places.replaceChildren(...places);
    for (const place of places) this.#sizes.observe(place);
    this.#tell();
  }

  /** Each canvas begins and ends where CSS and device pixels meet: no engine stretches it. */
  #layOut() {
    const ratio = devicePixelRatio;
    const step = wholeInBoth(1, ratio);
    for (const canvas of this.#canvases) {
      const box = canvas.parentElement.getBoundingClientRect();
      const left = box.left + scrollX;
      const top = box.top + scrollY;
      const inset = { x: whole(left, step) - left, y: whole(top, step) - top };
      const width = Math.floor((box.width - inset.x) / step) * step;
      const height = Math.floor((box.height - inset.y) / step) * step;
      Object.assign(canvas.style, {
        left: `${inset.x}px`, top: `${inset.y}px`, width: `${width}px`, height: `${height}px`,
      });
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.#draw();
  }

  #draw() {
    const [one] = this.#canvases;
    this.#frame.setPlace({ width: one.width, height: one.height });
    const { corner, size } = this.#frame;
    this.#canvases.forEach((canvas, index) => {
      const context = canvas.getContext("2d", { alpha: false });
      context.fillStyle = GROUND;
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.imageSmoothingEnabled = false;
      const picture = this.#picture(this.#shown[index]);
      context.drawImage(picture, corner.x, corner.y, size.width, size.height);
    });
  }

  #picture(view) {
    const [side, kind] = view.split("-");
    return kind ? this.#pictures.difference(side, this.#state.gain) : this.#pictures.of(side);
  }

  /** Draws anew, and says so: to the eye, to who listens, and in the address. */
  #changed() {
    this.#draw();
    this.#tell();
    this.#keep();
  }

  #tell() {
    const names = this.#shown.map((view) => {
      const name = document.createElement("span");
      name.textContent = this.#nameOf(view);
      return name;
    });
    this.#root.querySelector(".flip-told").replaceChildren(...names);
    this.#root.querySelector("[data-told=zoom]").textContent = `${this.#frame.level}×`;
    for (const button of this.#root.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === this.#state.view));
    }
  }

  #nameOf(view) {
    const button = this.#root.querySelector(`[data-view=${view}]`);
    const name = button.textContent.replace(/^\s*\d\s*/, "").trim();
    return view.endsWith("difference") ? `${name}, × ${this.#state.gain}` : name;
  }

  #keep() {
    const { level, centre } = this.#frame;
    const state = { ...this.#state, zoom: level, x: Math.round(centre.x), y: Math.round(centre.y) };
    history.replaceState(null, "", location.pathname + written(location.search, state));
    this.#passOn();
  }

  /** The neighbours open in the same view, at their own middle. */
  #passOn() {
    const state = { ...this.#state, zoom: this.#frame.level, x: null, y: null };
    for (const link of document.querySelectorAll("[data-beside]")) {
      const url = new URL(link.href);
      link.href = url.pathname + written(url.search, state);
    }
  }

  #see(view) {
    const wasBeside = this.#state.view === "beside";
    this.#state.view = view;
    if (wasBeside || view === "beside") {
      this.#arrange();
      this.#keep();
    } else this.#changed();
  }

  #hold(isHeld) {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.#draw();
    this.#tell();
  }

  #zoomBy(step, point) {
    this.#frame.to(this.#frame.level + step, point);
    this.#changed();
  }

  #bind() {
    for (const button of this.#root.querySelectorAll("[data-view]")) {
      button.addEventListener("click", (event) => {
        this.#see(button.dataset.view);
        // Space then holds the original instead of pressing the button again.
        if (event.detail > 0) this.#places.focus({ preventScroll: true });
      });
    }
    for (const button of this.#root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.#zoomBy(Number(button.dataset.zoom)));
    }
    this.#root.querySelector("[data-gain]").addEventListener("change", (event) => {
      this.#state.gain = Number(event.target.value);
      this.#changed();
    });
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("keyup", (event) => event.code === "Space" && this.#hold(false));
    addEventListener("blur", () => this.#hold(false));
    onRatioChange(() => this.#layOut());
    this.#bindHands();
  }

  #bindHands() {
    const places = this.#places;
    places.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.#drag = { x: event.clientX, y: event.clientY };
      places.setPointerCapture(event.pointerId);
    });
    places.addEventListener("pointermove", (event) => {
      if (!this.#drag) return;
      const ratio = devicePixelRatio;
      this.#frame.panBy((event.clientX - this.#drag.x) * ratio, (event.clientY - this.#drag.y) * ratio);
      this.#drag = { x: event.clientX, y: event.clientY };
      this.#draw();
    });
    for (const over of ["pointerup", "pointercancel"]) {
      places.addEventListener(over, () => {
        if (this.#drag) this.#keep();
        this.#drag = null;
      });
    }
    places.addEventListener("dblclick", (event) => {
      const box = event.target.getBoundingClientRect();
      const ratio = devicePixelRatio;
      const point = { x: (event.clientX - box.left) * ratio, y: (event.clientY - box.top) * ratio };
      this.#zoomBy(event.shiftKey ? -1 : 1, point);
    });
  }

  #keyDown(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input, select, textarea")) return;
    if (event.code === "Space") {
      if (event.target.closest("button, a, summary")) return;
      if (!event.repeat) this.#hold(true);
      event.preventDefault();
    } else if (this.#acts(event)) event.preventDefault();
  }

  #acts(event) {
    const view = VIEWS[Number(event.key) - 1];
    if (view) return this.#see(view), true;
    if (event.key === "+" || event.key === "=") return this.#zoomBy(1), true;
    if (event.key === "-") return this.#zoomBy(-1), true;
    const beside = { n: "after", p: "before" }[event.key];
    if (beside) return document.querySelector(`[data-beside=${beside}]`)?.click(), true;
    if (!event.shiftKey || !(event.key in ARROWS)) return false;
    const [x, y] = ARROWS[event.key];
    const { width, height } = this.#canvases[0];
    this.#frame.panBy(x * PAN_SHARE * width, y * PAN_SHARE * height);
    return this.#changed(), true;
  }
}

const root = document.getElementById("flip");
// Without its pictures the page keeps what it has: three of them, or the words in their place.
if (root) loaded(root).then((pictures) => new Flip(root, pictures), () => {});
