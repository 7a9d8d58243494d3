// A little landscape drawn here, and what a rough copy of it loses: no picture of any study.

const WIDTH = 384;
const HEIGHT = 264;

/** Small, seeded (mulberry32): one seed, one landscape. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function surface() {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  return canvas;
}

export function drawOriginal(seed) {
  const canvas = surface();
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const random = randomFrom(seed);
  paintSky(context, random);
  paintHills(context, random);
  paintHouse(context, 90 + 150 * random(), 150);
  paintGrass(context, random);
  return canvas;
}

/** Each block keeps `strength` (0..1) of its mean only: what coarse coding does to detail. */
export function roughCopy(original, block_px, strength) {
  const canvas = surface();
  const context = canvas.getContext("2d");
  const image = original.getContext("2d").getImageData(0, 0, WIDTH, HEIGHT);
  for (let top = 0; top < HEIGHT; top += block_px) {
    for (let left = 0; left < WIDTH; left += block_px) flatten(image, left, top, block_px, strength);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function flatten(image, left, top, block_px, strength) {
  const right = Math.min(left + block_px, WIDTH);
  const bottom = Math.min(top + block_px, HEIGHT);
  for (let channel = 0; channel < 3; channel += 1) {
    let sum = 0;
    const places = [];
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) places.push(4 * (y * WIDTH + x) + channel);
    }
    for (const place of places) sum += image.data[place];
    const mean = sum / places.length;
    for (const place of places) image.data[place] += strength * (mean - image.data[place]);
  }
}

function paintSky(context, random) {
  const sky = context.createLinearGradient(0, 0, 0, 180);
  sky.addColorStop(0, "#5b93c7");
  sky.addColorStop(1, "#dfeaf0");
  context.fillStyle = sky;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = "#ffe9a3";
  context.beginPath();
  context.arc(40 + 300 * random(), 50, 22, 0, 2 * Math.PI);
  context.fill();
}

function paintHills(context, random) {
  for (const [base, colour] of [[150, "#7c9a80"], [185, "#5d8257"]]) {
    const phase = 6 * random();
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(0, HEIGHT);
    for (let x = 0; x <= WIDTH; x += 4) {
      context.lineTo(x, base + 16 * Math.sin(x / 55 + phase) + 6 * Math.sin(x / 17 + phase));
    }
    context.lineTo(WIDTH, HEIGHT);
    context.fill();
  }
}

function paintHouse(context, left, top) {
  context.fillStyle = "#efe6d6";
  context.fillRect(left, top, 84, 60);
  context.fillStyle = "#9c4a34";
  context.beginPath();
  context.moveTo(left - 8, top);
  context.lineTo(left + 42, top - 36);
  context.lineTo(left + 92, top);
  context.fill();
  context.strokeStyle = "#6d3020";
  for (let y = 6; y < 36; y += 6) {
    context.strokeRect(left + 42 - 1.3 * y, top - 36 + y, 2.6 * y, 0.5);
  }
  context.fillStyle = "#3d4a57";
  for (const x of [10, 54]) context.fillRect(left + x, top + 14, 20, 20);
  context.fillRect(left + 34, top + 30, 16, 30);
  context.strokeStyle = "#efe6d6";
  for (const x of [20, 64]) {
    context.strokeRect(left + x, top + 14, 0.5, 20);
    context.strokeRect(left + x - 10, top + 24, 20, 0.5);
  }
}

function paintGrass(context, random) {
  for (let blade = 0; blade < 700; blade += 1) {
    const x = WIDTH * random();
    const y = 205 + 59 * random();
    context.strokeStyle = `hsl(${90 + 30 * random()} ${30 + 25 * random()}% ${22 + 30 * random()}%)`;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + 6 * (random() - 0.5), y - 5 - 8 * random());
    context.stroke();
  }
}
