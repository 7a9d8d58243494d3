// The keys that the page names are the keys that it listens to: data-key in the template says which.

import { nameOfKey, shortcutOf } from "./key_names.js";

export function keepHints(root, keys) {
  const write = () => {
    for (const hint of root.querySelectorAll("[data-key]")) {
      hint.textContent = nameOfKey(keys.keyFor(hint.dataset.key));
    }
    for (const control of root.querySelectorAll("[data-shortcut]")) {
      control.setAttribute("aria-keyshortcuts", shortcutOf(keys.keyFor(control.dataset.shortcut)));
    }
  };
  keys.addEventListener("change", write);
  write();
}
