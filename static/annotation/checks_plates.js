// Colour plates: a disc of dots at a time, and the digit that a person reads in it.

// Neutral and the same in light and dark pages: what lies between the dots is part of the plate.
const GROUND = "#e9e9e7";
const UNIT = 1000;

function draw(canvas, dots) {
  const size = Math.round(canvas.clientWidth * devicePixelRatio);
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  const disc = (x, y, radius, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  };
  const scale = (0.96 * size) / 2 / UNIT;
  disc(size / 2, size / 2, size / 2, GROUND);
  for (const [x, y, radius, colour] of dots) {
    disc(size / 2 + x * scale, size / 2 + y * scale, radius * scale, colour);
  }
}

/** Resolves to {answers}: for each plate a digit, or "" for none seen. */
export function checkPlates(check, { plates }) {
  const element = (id) => check.querySelector(`#${id}`);
  const [canvas, digit, count] = ["plate", "digit", "count"].map(element);
  const answers = [];

  const show = () => {
    draw(canvas, plates[answers.length]);
    count.textContent = count.dataset.pattern
      .replace("{number}", answers.length + 1)
      .replace("{total}", plates.length);
    digit.value = "";
    digit.focus({ preventScroll: true });
  };
  show();
  addEventListener("resize", () => answers.length < plates.length && draw(canvas, plates[answers.length]));

  return new Promise((resolve) => {
    const answer = (text) => {
      if (answers.length === plates.length) return;
      answers.push(text);
      if (answers.length < plates.length) show();
      else resolve({ answers });
    };
    element("plate-form").addEventListener("submit", (event) => {
      event.preventDefault();
      answer(digit.value);
    });
    element("no-digit").addEventListener("click", () => answer(""));
  });
}
