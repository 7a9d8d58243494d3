// What stands around the pictures: answers, names of the views, zoom; where, and what they say.

import { MODES } from "./modes.js";
import { layOver } from "./pixels.js";
import { apart, CONTROL_GAP_CSS as GAP } from "./places.js";
import { texts } from "./texts.js";

const row = (sizes) => ({
  width: sum(sizes.map(({ width }) => width)),
  height: Math.max(0, ...sizes.map(({ height }) => height)),
});
const column = (sizes) => ({
  width: Math.max(0, ...sizes.map(({ width }) => width)),
  height: sum(sizes.map(({ height }) => height)),
});
const sum = (lengths) =>
  lengths.reduce((total, length) => total + length, 0) + GAP * Math.max(0, lengths.length - 1);

export class Controls {
  #element;
  #mode;
  #places;
  #heads;
  #answers;
  #extra;
  #isBare;
  // Whether the pictures themselves are the answers.
  #isOver = null;
  #arrangement = null;

  constructor(root, { mode, largest_zoom }) {
    this.#element = (id) => root.getElementById(id);
    this.#mode = mode;
    const { places, heads, answers, extra } = MODES[mode];
    const found = (ids) => ids.map(this.#element);
    this.#places = found(places);
    this.#heads = heads.map(found);
    this.#answers = answers.map(found);
    this.#extra = found(extra.filter((id) => id !== "zoom" || largest_zoom > 1));
    this.#isBare = mode === "side_by_side" && largest_zoom === 1;
    this.#unhide(root);
    this.#name();
  }

  get places() {
    return this.#places;
  }

  /** How large they are, for arrange(); null where the pictures need no room for any. */
  sizes(ratio) {
    if (this.#isBare) return null;
    // As they are when they do not lie over the pictures.
    this.#setOver(false);
    const inDevice = ({ width, height }) => ({
      width: Math.ceil(width * ratio),
      height: Math.ceil(height * ratio),
    });
    const rows = (groups) => groups.map((group) => inDevice(row(group.map(sizeOf))));
    this.#setBeside(false);
    const inRows = {
      heads: rows(this.#heads),
      answers: rows(this.#answers),
      extra: inDevice(row(this.#extra.map(sizeOf))),
    };
    this.#setBeside(true);
    const columns = this.#columns().map((group) => inDevice(this.#columnSize(group)));
    return { ...inRows, columns };
  }

  /** What is on: the view and the zoom. The controls move only where that moves them. */
  tell(arrangement, view, zoom) {
    const isOver = this.#mode === "side_by_side" && !zoom.isZoomed;
    if (arrangement !== this.#arrangement || isOver !== this.#isOver) {
      this.#arrangement = arrangement;
      this.#setOver(isOver);
      this.#place(devicePixelRatio);
    }
    press(this.#element("show-original"), view === "original");
    press(this.#element("see-left"), view === "left");
    press(this.#element("see-right"), view === "right");
    if (this.#mode === "toggle_copies") {
      this.#places[1].setAttribute("aria-label", texts.stage.copy(texts.copies[view]));
    }
    this.#element("zoom-level").textContent = `${zoom.level}×`;
    this.#element("zoom-out").disabled = !zoom.isZoomed;
    this.#element("zoom-in").disabled = !zoom.mayGrow;
    this.#places.forEach((element) => element.classList.toggle("movable", zoom.isZoomed));
  }

  #place(ratio) {
    const { places, part, layout, isExtraBelow } = this.#arrangement;
    this.#places.forEach((element, index) => layOver(element, places[index], part, ratio));
    const boxes = places.map(({ left, top }) => ({
      left: left / ratio,
      top: top / ratio,
      right: (left + part.width) / ratio,
      bottom: (top + part.height) / ratio,
    }));
    this.#setBeside(layout === "beside");
    if (layout === "under") this.#putUnder(boxes, isExtraBelow);
    if (layout === "beside") this.#putBeside(boxes);
    if (this.#isOver) {
      layOver(this.#element("left"), places[0], part, ratio);
      layOver(this.#element("right"), places.at(-1), part, ratio);
    }
  }

  /** Of each side: what stands at the middle of the pictures' height, and what below it. */
  #columns() {
    return [0, 1].map((side) => ({
      main: [...this.#heads[side], ...(this.#isOver ? [] : this.#answers[side])],
      more: side === 0 ? this.#extra : [],
    }));
  }

  #columnSize({ main, more }) {
    const [upper, lower] = [main, more].map((group) => column(group.map(sizeOf)));
    const below = lower.height > 0 ? GAP + lower.height : 0;
    return { width: Math.max(upper.width, lower.width), height: upper.height + 2 * below };
  }

  #unhide(root) {
    const [left, right] = [root.getElementById("left"), root.getElementById("right")];
    const used = [left, right, ...this.#places, ...this.#heads.flat(), ...this.#extra];
    root.querySelectorAll("#stage > [hidden]").forEach((element) => {
      element.hidden = !used.includes(element);
    });
    root.getElementById("original").hidden = !used.includes(root.getElementById("original"));
  }

  #name() {
    const words = texts.stage;
    const isCopies = this.#mode === "toggle_copies";
    for (const [id, label] of Object.entries({
      "place-left": words.picture.left,
      "place-right": words.picture.right,
      original: words.picture.original,
      views: words.views,
      "see-left": words.see(texts.copies.left),
      "see-right": words.see(texts.copies.right),
      left: isCopies ? words.choose(texts.copies.left) : words.picture.left,
      right: isCopies ? words.choose(texts.copies.right) : words.picture.right,
      zoom: words.zoom,
      "zoom-out": words.zoomOut,
      "zoom-in": words.zoomIn,
    })) {
      this.#element(id).setAttribute("aria-label", label);
    }
    this.#element("caption").textContent = words.original;
    this.#element("show-original").firstElementChild.textContent = words.showOriginal;
    this.#element("see-left").textContent = texts.copies.left;
    this.#element("see-right").textContent = texts.copies.right;
  }

  /** Beside the pictures they are narrower. */
  #setBeside(isBeside) {
    this.#element("stage").classList.toggle("beside", isBeside);
  }

  #setOver(isOver) {
    if (this.#isOver === isOver) return;
    this.#isOver = isOver;
    for (const side of ["left", "right"]) {
      const button = this.#element(side);
      button.className = isOver ? "picture" : "answer";
      button.textContent = isOver ? "" : this.#answerText(side);
      if (!isOver) button.style.width = button.style.height = "";
    }
    // One thing on the screen is one thing to a screen reader.
    for (const id of ["place-left", "place-right"]) {
      this.#element(id).toggleAttribute("aria-hidden", isOver);
      if (isOver) this.#element(id).setAttribute("aria-hidden", "true");
    }
  }

  #answerText(side) {
    if (this.#mode === "toggle_copies") return texts.stage.choose(texts.copies[side]);
    return texts.stage.side[side];
  }

  #putUnder(boxes, isExtraBelow) {
    const centres = [boxes[0], boxes.at(-1)].map((box) => (box.left + box.right) / 2);
    const { top, bottom } = boxes[0];
    putRows(this.#heads, centres, (size) => top - GAP - size.height);
    if (!this.#isOver) putRows(this.#answers, centres, () => bottom + GAP);
    const size = row(this.#extra.map(sizeOf));
    const answers = row(this.#answers.flat().map(sizeOf));
    const line = { top: bottom + GAP + (isExtraBelow ? answers.height + GAP : 0), ...answers };
    const above = isExtraBelow ? line.top : line.top + Math.max(0, answers.height - size.height) / 2;
    putRow(this.#extra, { left: (centres[0] + centres[1] - size.width) / 2, top: above });
  }

  #putBeside(boxes) {
    this.#columns().forEach(({ main, more }, side) => {
      const box = side === 0 ? boxes[0] : boxes.at(-1);
      let top = (box.top + box.bottom - column(main.map(sizeOf)).height) / 2;
      for (const element of [...main, ...more]) {
        const { width, height } = sizeOf(element);
        put(element, side === 0 ? box.left - GAP - width : box.right + GAP, top);
        top += height + GAP;
      }
    });
  }
}

function sizeOf(element) {
  const { width, height } = element.getBoundingClientRect();
  return { width, height };
}

function press(button, isPressed) {
  button.setAttribute("aria-pressed", isPressed);
}

function put(element, left, top) {
  element.style.left = `${left}px`;
  element.style.top = `${top}px`;
}

function putRow(group, { left, top }) {
  const tallest = row(group.map(sizeOf)).height;
  for (const element of group) {
    const { width, height } = sizeOf(element);
    put(element, left, top + (tallest - height) / 2);
    left += width + GAP;
  }
}

function putRows(groups, centres, topOf) {
  const sizes = groups.map((group) => row(group.map(sizeOf)));
  const widths = sizes.map(({ width }) => width);
  const lefts = apart(centres, widths, GAP);
  groups.forEach((group, side) => putRow(group, { left: lefts[side], top: topOf(sizes[side]) }));
}
