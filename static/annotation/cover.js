// What stands in front of the pictures while they must not be seen, and why.

import { texts } from "./texts.js";

// When several hold at once, the one furthest down is told.
const REASONS = [
  "loading",
  "break",
  "motion",
  "changed",
  "small",
  "pinched",
  "requirement",
  "menu",
  "not kept",
  "lost",
  "other tab",
  "taken over",
  "stopped",
];

export class Cover extends EventTarget {
  #panel;
  #title;
  #text;
  #actions;
  // reason -> {title, text, actions}
  #reasons = new Map();
  #focusBefore = null;

  constructor(panel) {
    super();
    this.#panel = panel;
    this.#title = panel.querySelector("h2");
    this.#text = panel.querySelector("p");
    this.#actions = panel.querySelector(".actions");
  }

  get isUp() {
    return this.#reasons.size > 0;
  }

  /** actions: [{label, act}] or [{label, href}]. */
  raise(reason, { title, text = "" }, actions = []) {
    const wasUp = this.isUp;
    if (!wasUp) this.#focusBefore = document.activeElement;
    this.#reasons.set(reason, { title, text, actions });
    this.#show();
    if (!wasUp) this.dispatchEvent(new CustomEvent("change", { detail: reason }));
  }

  lift(reason) {
    if (!this.#reasons.delete(reason)) return;
    this.#show();
    if (this.isUp) return;
    // What was hidden with the pictures has lost the focus: whoever uses Tab goes on from there.
    if (document.activeElement === document.body) this.#focusBefore?.focus();
    this.dispatchEvent(new CustomEvent("change", { detail: reason }));
  }

  /** Resolves once nothing stands in front of the pictures. */
  async lifted() {
    while (this.isUp) {
      await new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
    }
  }

  /** Stays up until the person goes on. */
  async untilGoneOn(reason, words) {
    await new Promise((goOn) => this.raise(reason, words, [{ label: texts.goOn, act: goOn }]));
    this.lift(reason);
  }

  #show() {
    document.body.classList.toggle("covered", this.isUp);
    const shown = this.#reasons.get(REASONS.findLast((reason) => this.#reasons.has(reason)));
    this.#panel.hidden = !shown?.title;
    if (!shown) {
      this.#actions.replaceChildren();
      return;
    }
    this.#title.textContent = shown.title;
    this.#text.textContent = shown.text;
    this.#actions.replaceChildren(...shown.actions.map(control));
    this.#actions.querySelector("button, a")?.focus();
  }
}

function control({ label, act, href }) {
  const element = document.createElement(href ? "a" : "button");
  element.textContent = label;
  element.className = "button";
  if (href) element.href = href;
  else element.addEventListener("click", act);
  return element;
}
