// One quiet line in the place of the key hints: what to do before choosing, or how practice went.

import { texts } from "./texts.js";

export class Notice {
  #hints;
  #panel;
  #text;
  #goOn;

  constructor(hints, panel) {
    this.#hints = hints;
    this.#panel = panel;
    this.#text = panel.querySelector("span");
    this.#goOn = panel.querySelector("button");
  }

  say(text) {
    this.#text.textContent = text;
    this.#panel.classList.add("said");
    this.#hints.classList.add("replaced");
  }

  clear() {
    this.#text.textContent = "";
    this.#goOn.hidden = true;
    this.#panel.classList.remove("said");
    this.#hints.classList.remove("replaced");
  }

  /** Says it until the person goes on: by Enter, wherever the focus is, or by the button. */
  async untilGoneOn(text) {
    this.say(text);
    this.#goOn.hidden = false;
    await new Promise((resolve) => {
      const over = new AbortController();
      const goOn = () => (over.abort(), resolve());
      this.#goOn.addEventListener("click", goOn, { signal: over.signal });
      const press = (event) => event.key === "Enter" && !event.repeat && (event.preventDefault(), goOn());
      addEventListener("keydown", press, { signal: over.signal });
    });
    this.clear();
  }
}

/** How a practice answer was; `names` are the sides' names on this page. */
export function feedbackOn(side, expected, names) {
  const words = side === expected ? texts.practice.right : texts.practice.wrong;
  return words(names[expected]);
}
