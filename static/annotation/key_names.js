// How a key is called on the page, in the page's language, and to a screen reader's software.

import { texts } from "./texts.js";

const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

export const nameOfKey = (key) =>
  ARROWS[key] ?? texts.keyNames[key] ?? (key.length === 1 ? key.toUpperCase() : key);

/** As aria-keyshortcuts wants it. */
export const shortcutOf = (key) =>
  key === " " ? "Space" : key === "+" ? "Plus" : key.length === 1 ? key.toUpperCase() : key;
