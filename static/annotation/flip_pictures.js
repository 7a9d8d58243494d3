// The three pictures of a triplet, and how far a copy is from its original, as light.

function canvasOf({ width, height }) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

export class FlipPictures {
  #images;
  #differences = new Map();

  /** images: {original, first, second}, decoded. */
  constructor(images) {
    this.#images = images;
  }

  get size() {
    const { naturalWidth: width, naturalHeight: height } = this.#images.original;
    return { width, height };
  }

  of(side) {
    return this.#images[side];
  }

  /** |copy - original| x gain in each channel; what is above 255 is cut off. */
  difference(side, gain) {
    const key = `${side} ${gain}`;
    if (!this.#differences.has(key)) this.#differences.set(key, this.#made(side, gain));
    return this.#differences.get(key);
  }

  #made(side, gain) {
    const canvas = canvasOf(this.size);
    const context = canvas.getContext("2d");
    const found = this.#pixels(side);
    const original = this.#pixels("original");
    for (let at = 0; at < found.data.length; at += 1) {
      if (at % 4 === 3) continue;
      found.data[at] = Math.abs(found.data[at] - original.data[at]) * gain;
    }
    context.putImageData(found, 0, 0);
    return canvas;
  }

  #pixels(side) {
    const canvas = canvasOf(this.size);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.#images[side], 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }
}

/** The page's own pictures by their side, once each can be drawn. */
export async function loaded(root) {
  const images = [...root.querySelectorAll("img[data-side]")];
  await Promise.all(images.map((image) => image.decode()));
  const bySide = images.map((image) => [image.dataset.side, image]);
  return new FlipPictures(Object.fromEntries(bySide));
}
