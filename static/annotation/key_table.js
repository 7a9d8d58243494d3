// The menu's table of keys: each can be another one, as long as it means one thing only.

import { keyOf } from "./keys.js";
import { nameOfKey } from "./key_names.js";
import { texts } from "./texts.js";

/** The acts that this study has a key for. */
function actsOf({ mode, allow_not_sure, largest_zoom }) {
  return [
    "left",
    "right",
    ...(allow_not_sure ? ["not_sure"] : []),
    "undo",
    ...(mode.startsWith("toggle") ? ["switch"] : []),
    ...(largest_zoom > 1 ? ["zoom_in", "zoom_out"] : []),
  ];
}

export class KeyTable {
  #keys;
  #names;
  #status;
  #listening = null;

  constructor(root, keys, config) {
    this.#keys = keys;
    this.#status = root.querySelector("#key-status");
    this.#names = config.mode === "toggle_copies" ? { ...texts.acts, ...texts.copies } : texts.acts;
    const rows = actsOf(config).map((act) => this.#row(act));
    root.querySelector("#keys").replaceChildren(...rows.flat());
    root.querySelector("#reset-keys").addEventListener("click", () => {
      this.stop();
      keys.reset();
      this.#say(texts.keys.wereReset);
    });
  }

  /** Listens no more, if it did. */
  stop() {
    this.#listening?.abort();
    this.#listening = null;
    this.#say("");
  }

  #row(act) {
    const term = document.createElement("dt");
    const key = document.createElement("kbd");
    key.dataset.key = act;
    const name = document.createElement("dd");
    name.textContent = this.#names[act];
    const change = document.createElement("button");
    change.type = "button";
    change.textContent = texts.keys.change;
    change.setAttribute("aria-label", texts.keys.changeOf(this.#names[act]));
    change.addEventListener("click", () => this.#listen(act, change));
    const control = document.createElement("dd");
    term.append(key);
    control.append(change);
    return [term, name, control];
  }

  #listen(act, change) {
    this.stop();
    const listening = new AbortController();
    this.#listening = listening;
    change.textContent = texts.keys.press;
    listening.signal.addEventListener("abort", () => (change.textContent = texts.keys.change));
    const { signal } = listening;
    addEventListener("keydown", (event) => this.#hear(act, event), { capture: true, signal });
    change.addEventListener("blur", () => this.#listening === listening && this.stop(), { signal });
  }

  #hear(act, event) {
    const key = keyOf(event);
    // Alone, a modifier is the beginning of something; Tab leaves, as everywhere.
    if (key === null || ["Shift", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    if (key === "Escape") {
      this.stop();
      return;
    }
    const obstacle = this.#keys.obstacle(act, key);
    if (obstacle?.isReserved) this.#say(texts.keys.reserved(nameOfKey(key)));
    else if (obstacle) this.#say(texts.keys.taken(nameOfKey(key), this.#names[obstacle.takenBy]));
    else {
      this.stop();
      this.#keys.set(act, key);
      this.#say(texts.keys.set(nameOfKey(key), this.#names[act]));
    }
  }

  #say(text) {
    this.#status.textContent = text;
  }
}
