// Keys, mouse and touch become acts: a choice with its moment, or an undo.

import { stampOf } from "./clock.js";
import { keys } from "./keys.js";

// Nobody sees three pictures and chooses in less: what comes so early is the second half of a
// double press, and was meant for the trial before.
const EARLIEST_MS = 200;

function inputOf(click) {
  if (click.detail === 0) return "key";
  return click.pointerType === "touch" || click.pointerType === "pen" ? "touch" : "mouse";
}

export class Input {
  #cover;
  #sides;
  #undo;
  #showing = null;
  #resolve = null;

  /** buttons: {left, right, not_sure (or absent), undo}. */
  constructor(buttons, cover) {
    const { undo, ...sides } = buttons;
    this.#cover = cover;
    this.#undo = undo;
    this.#sides = new Set(Object.keys(sides));
    for (const [side, button] of Object.entries(sides)) {
      button.addEventListener("click", (event) => this.#choose(side, event, inputOf(event)));
    }
    undo.addEventListener("click", () => this.#takeBack());
    addEventListener("keydown", (event) => this.#press(event));
  }

  /** The next act upon a trial that is being shown. */
  next(showing) {
    this.#showing = showing;
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  #press(event) {
    if (this.#cover.isUp) return;
    const action = keys.actionOf(event);
    const isUndo = action === "undo";
    if (!isUndo && !this.#sides.has(action)) return;
    event.preventDefault();
    if (event.repeat) return;
    if (isUndo) this.#takeBack();
    else this.#choose(action, event, "key");
  }

  #choose(side, event, input) {
    if (!this.#resolve || this.#cover.isUp) return;
    const at_ms = stampOf(event);
    if (at_ms < this.#showing.painted_ms + EARLIEST_MS) {
      this.#showing.note(`early ${side}`, at_ms);
      return;
    }
    this.#act({ side, at_ms, input });
  }

  #takeBack() {
    if (!this.#resolve || this.#cover.isUp || this.#undo.disabled) return;
    this.#act({ isUndo: true });
  }

  #act(act) {
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve(act);
  }
}
