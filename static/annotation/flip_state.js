// What is seen, as the page's address says it: whoever opens the address sees the same.

export const VIEWS = [
  "original",
  "first",
  "second",
  "beside",
  "first-difference",
  "second-difference",
];
const USUAL = { view: "original", zoom: 1, gain: 8 };
const whole = (text, low, high, otherwise) => {
  const value = Number.parseInt(text, 10);
  return value >= low && value <= high ? value : otherwise;
};

/** {view, zoom, gain, x, y}; x and y are null where nothing was moved. */
export function read(query) {
  const params = new URLSearchParams(query);
  const view = params.get("view");
  const point = (name) => whole(params.get(name), 0, 100_000, null);
  return {
    view: VIEWS.includes(view) ? view : USUAL.view,
    zoom: whole(params.get("zoom"), 1, 8, USUAL.zoom),
    gain: whole(params.get("gain"), 1, 64, USUAL.gain),
    x: point("x"),
    y: point("y"),
  };
}

/** The query with this state in it; what stands for itself is left out. */
export function written(query, state) {
  const params = new URLSearchParams(query);
  for (const [name, value] of Object.entries(state)) {
    if (value === null || value === USUAL[name]) params.delete(name);
    else params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}
