// Small things that this browser remembers from one page to the next; none that would be missed.

export function remember(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch (error) {
    // A full or forbidden store: it holds for this page only.
    console.info(`${name} is not remembered: ${error.message}`);
  }
}

/** null where nothing is remembered, or nothing readable. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch (error) {
    console.info(`${name} cannot be read: ${error.message}`);
    return null;
  }
}

export function forget(name) {
  try {
    localStorage.removeItem(name);
  } catch (error) {
    console.info(`${name} cannot be forgotten: ${error.message}`);
  }
}
