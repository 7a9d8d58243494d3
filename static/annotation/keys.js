// Which key does what: the page's own keys, or those that this person chose in this browser.

import { recall, remember } from "./remembering.js";

const STORE = "triad-keys";

const DEFAULTS = {
  left: "ArrowLeft",
  right: "ArrowRight",
  not_sure: "ArrowDown",
  undo: "Backspace",
  switch: " ",
  zoom_in: "+",
  zoom_out: "-",
};

// What moves the focus, presses its button, or closes the menu; and what is no key by itself.
const RESERVED = new Set([
  "Tab", "Enter", "Escape", "Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock",
  "ScrollLock", "ContextMenu", "Fn", "OS", "Dead", "Process", "Unidentified", "F1", "F2", "F3",
  "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
]);

/** The key as printed on it, whatever Caps Lock says; null with a modifier that makes it another. */
export function keyOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const isPrinted = event.key.length === 1;
  // Shift is part of typing a plus, and not of pressing an arrow.
  if (event.shiftKey && !isPrinted) return null;
  return isPrinted ? event.key.toLowerCase() : event.key;
}

export class Keys extends EventTarget {
  #keys = remembered();

  get actions() {
    return Object.keys(DEFAULTS);
  }

  keyFor(action) {
    return this.#keys[action];
  }

  /** What a key press asks for: left, right, not_sure, undo, switch, zoom_in, zoom_out, or null. */
  actionOf(event) {
    const key = keyOf(event);
    return this.actions.find((action) => this.#keys[action] === key) ?? null;
  }

  /** Why a key cannot do this: {isReserved} or {takenBy: action}; null when it can. */
  obstacle(action, key) {
    if (RESERVED.has(key)) return { isReserved: true };
    const takenBy = this.actions.find((other) => other !== action && this.#keys[other] === key);
    return takenBy ? { takenBy } : null;
  }

  set(action, key) {
    if (this.obstacle(action, key)) throw new Error(`Found ${key} for ${action}; expected a free key.`);
    this.#replace({ ...this.#keys, [action]: key });
  }

  reset() {
    this.#replace({ ...DEFAULTS });
  }

  #replace(keys) {
    this.#keys = keys;
    remember(STORE, keys);
    this.dispatchEvent(new Event("change"));
  }
}

/** Only what is a key for an action of ours, each once: what is stored may be older than we are. */
function remembered() {
  const found = recall(STORE) ?? {};
  const keys = { ...DEFAULTS };
  for (const action of Object.keys(DEFAULTS)) {
    if (typeof found[action] === "string") keys[action] = found[action];
  }
  const isClear = new Set(Object.values(keys)).size === Object.keys(DEFAULTS).length;
  return isClear ? keys : { ...DEFAULTS };
}

/** This page's. */
export const keys = new Keys();
