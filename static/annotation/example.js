// The live example of a welcome page: one try at the study's own way of asking, with a reply.

import { drawOriginal, roughCopy } from "./example_picture.js";

// Far below three flashes a second (WCAG 2.3.1): the real rate comes after its own consent.
const SLOW_MS = 700;
const FINE = { block_px: 7, strength: 0.5 };
const ROUGH = { block_px: 12, strength: 0.9 };
const KEYS = { ArrowLeft: "left", ArrowRight: "right" };

class Example {
  #section;
  #mode;
  #canvases;
  #original;
  #copies;
  #roughSide;
  #shown = "left";
  #timer = null;
  #seed = 7;

  constructor(section) {
    this.#section = section;
    this.#mode = section.dataset.mode;
    this.#canvases = [...section.querySelectorAll("canvas")];
    this.#listen();
    this.#renew();
  }

  #renew() {
    this.#seed += 1;
    // Both sides in turn, beginning at either: nobody learns a side here.
    this.#roughSide = Math.random() < 0.5 ? "left" : "right";
    this.#original = drawOriginal(this.#seed);
    const rough = roughCopy(this.#original, ROUGH.block_px, ROUGH.strength);
    const fine = roughCopy(this.#original, FINE.block_px, FINE.strength);
    this.#copies = this.#roughSide === "left" ? { left: rough, right: fine } : { left: fine, right: rough };
    this.#shown = "left";
    this.#say("");
    this.#drawCopies();
  }

  #drawCopies() {
    if (this.#mode === "side_by_side") {
      this.#draw(this.#copies.left, this.#original, this.#copies.right);
    } else if (this.#mode === "toggle_copies") {
      this.#draw(this.#original, this.#copies[this.#shown]);
      this.#section.querySelector("[data-name]").textContent = this.#shown === "left" ? "A" : "B";
    } else {
      this.#draw(this.#copies.left, this.#copies.right);
    }
  }

  #drawOriginals() {
    this.#draw(this.#original, this.#original);
  }

  #draw(...pictures) {
    pictures.forEach((picture, place) => {
      const canvas = this.#canvases[place];
      canvas.width = picture.width;
      canvas.height = picture.height;
      canvas.getContext("2d").drawImage(picture, 0, 0);
    });
  }

  #listen() {
    for (const button of this.#section.querySelectorAll("[data-answer]")) {
      button.addEventListener("click", () => this.#answer(button.dataset.answer));
    }
    addEventListener("keydown", (event) => {
      const isPlain = !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
      if (!isPlain || !KEYS[event.key] || isTyping(event.target)) return;
      event.preventDefault();
      this.#answer(KEYS[event.key]);
    });
    this.#section.querySelector("[data-again]").addEventListener("click", () => this.#renew());
    const view = this.#section.querySelector("[data-view]");
    if (view) this.#listenToView(view);
  }

  #listenToView(button) {
    const places = this.#canvases.slice(this.#mode === "toggle_copies" ? 1 : 0);
    if (button.dataset.view === "hold") {
      for (const held of [button, ...places]) this.#holdBy(held);
    } else if (button.dataset.view === "switch") {
      for (const pressed of [button, ...places]) {
        pressed.addEventListener("click", () => this.#switch());
      }
    } else {
      button.addEventListener("click", () => this.#alternate(button));
    }
  }

  #holdBy(element) {
    element.addEventListener("pointerdown", () => this.#drawOriginals());
    element.addEventListener("keydown", (event) => {
      if (event.key === " ") this.#drawOriginals();
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave", "keyup", "blur"]) {
      element.addEventListener(end, () => this.#drawCopies());
    }
    // A long press shows the original and no menu.
    element.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  #switch() {
    this.#shown = this.#shown === "left" ? "right" : "left";
    this.#drawCopies();
  }

  #alternate(button) {
    clearInterval(this.#timer);
    const isOn = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isOn));
    this.#drawCopies();
    if (!isOn) return;
    let isOriginal = false;
    this.#timer = setInterval(() => {
      isOriginal = !isOriginal;
      if (isOriginal) this.#drawOriginals();
      else this.#drawCopies();
    }, SLOW_MS);
  }

  #answer(side) {
    const wantsRough = this.#section.dataset.polarity === "differs";
    this.#say((side === this.#roughSide) === wantsRough ? "right" : "wrong");
  }

  /** reply: "right", "wrong", or "" for none. */
  #say(reply) {
    const template = this.#section.querySelector(`template[data-reply="${reply}"]`);
    this.#section.querySelector("[role=status]").textContent = template?.content.textContent ?? "";
    this.#section.querySelector("[data-again]").hidden = reply !== "right";
  }
}

const isTyping = (target) => target.matches?.("input:not([type=checkbox]), textarea, select");

const section = document.getElementById("example");
if (section) new Example(section);
