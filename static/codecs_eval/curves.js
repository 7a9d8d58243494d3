// A run's curves as plain SVG: one small plot a name, dots where they fit, axes with round numbers.
const WIDTH = 480;
const HEIGHT = 200;
const LEFT = 64;
const RIGHT = 72;
const TOP = 28;
const BOTTOM = 36;
const MOST_DOTS = 60;

function element(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

export function roundTicks(low, high, wanted) {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / wanted));
  const size = [1, 2, 5, 10].find((factor) => span / (factor * power) <= wanted) * power;
  const ticks = [];
  for (let at = Math.ceil(low / size - 1e-9) * size; at <= high + size * 1e-6; at += size) {
    ticks.push(Math.abs(at) < size * 1e-6 ? 0 : at);
  }
  return ticks;
}

const short = (value) => Number(value.toPrecision(4)).toString();

function range(values) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}

function axes(svg, x, y, steps, values) {
  for (const tick of roundTicks(...values, 4)) {
    svg.append(element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
    svg.append(element("text", { class: "tick end", x: LEFT - 8, y: y(tick) + 4 }, short(tick)));
  }
  const whole = roundTicks(...steps, 5).filter(Number.isInteger);
  for (const tick of whole) {
    svg.append(element("text", { class: "tick middle", x: x(tick), y: HEIGHT - BOTTOM + 16 }, short(tick)));
  }
  svg.append(
    element("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }),
    element("text", { class: "tick middle", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4 }, "step"),
  );
}

// Shares are read in per cent, as everywhere on the desk.
function inPercent(name, points) {
  if (!name.includes("agreement")) return [name.replaceAll("_", " "), points];
  return [`${name.replaceAll("_", " ")}, %`, points.map(([step, value]) => [step, 100 * value])];
}

function plot(name, given) {
  const [label, points] = inPercent(name, given);
  const last = points[points.length - 1];
  const steps = points.length > 1 ? [points[0][0], last[0]] : [last[0] - 1, last[0] + 1];
  const values = range(points.map((point) => point[1]));
  const x = (step) => LEFT + ((step - steps[0]) / (steps[1] - steps[0])) * (WIDTH - LEFT - RIGHT);
  const y = (value) =>
    HEIGHT - BOTTOM - ((value - values[0]) / (values[1] - values[0])) * (HEIGHT - TOP - BOTTOM);
  const svg = element("svg", {
    class: "curve",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": `${label}: ${short(last[1])} at step ${last[0]}, ${points.length} points`,
  });
  svg.append(element("text", { class: "name", x: LEFT, y: 16 }, label));
  axes(svg, x, y, steps, values);
  svg.append(
    element("polyline", { class: "line", points: points.map(([s, v]) => `${x(s)},${y(v)}`).join(" ") }),
  );
  const dots = points.length <= MOST_DOTS ? points : [last];
  for (const [step, value] of dots) {
    svg.append(element("circle", { class: "dot", cx: x(step), cy: y(value), r: 2.5 }));
  }
  svg.append(element("text", { class: "value", x: x(last[0]) + 8, y: y(last[1]) + 4 }, short(last[1])));
  return svg;
}

// `series`: Map of name -> Map of step -> value.
export function drawCurves(place, series) {
  const plots = [...series].map(([name, points]) =>
    plot(name, [...points].sort((a, b) => a[0] - b[0])),
  );
  place.replaceChildren(...plots);
}
