/**
 * The decoded pixels of one image, also at half its size, a quarter and so on; does not know where or how they are shown.
 *
 * A bitmap drawn much smaller than it is would leave pixels out, and drawing all of them takes longer than a frame.
 */
const SMALLEST = 256;
const GROUND = 'white'; // as the server puts it under what is transparent

/** Rejects if the browser cannot decode it. */
export async function filmOf(image) {
  const bitmap = await createImageBitmap(image.file);
  return new Film(image.type === 'image/jpeg' ? bitmap : await opaque(bitmap));
}

async function opaque(bitmap) {
  const canvas = canvasOf(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d', { alpha: false });
  context.fillStyle = GROUND;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  try {
    return await createImageBitmap(canvas);
  } finally {
    release(canvas);
  }
}

class Film {
  #levels;

  constructor(bitmap) {
    this.#levels = [bitmap];
    this.width = bitmap.width;
    this.height = bitmap.height;
  }

  /** The smallest that still has a pixel for each pixel of the screen at this zoom. */
  levelFor(zoom) {
    const halvings = Math.max(0, Math.floor(Math.log2(1 / zoom)));
    while (this.#levels.length <= halvings && Math.max(this.#smallest.width, this.#smallest.height) > SMALLEST) {
      this.#levels.push(halved(this.#smallest));
    }
    return this.#levels[Math.min(halvings, this.#levels.length - 1)];
  }

  /** How often each of the 256 values of brightness occurs, counted on a small level. */
  histogram() {
    const level = this.levelFor(SMALLEST / Math.max(this.width, this.height, SMALLEST));
    const canvas = canvasOf(level.width, level.height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(level, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    release(canvas);
    const counts = new Array(256).fill(0);
    for (let at = 0; at < data.length; at += 4) counts[Math.round((data[at] + data[at + 1] + data[at + 2]) / 3)] += 1;
    return counts;
  }

  close() {
    const [bitmap, ...canvases] = this.#levels;
    bitmap.close();
    canvases.forEach(release);
  }

  get #smallest() {
    return this.#levels.at(-1);
  }
}

/** At exactly one half, the browser's own smoothing is the mean of each four pixels. */
function halved(level) {
  const canvas = canvasOf(Math.ceil(level.width / 2), Math.ceil(level.height / 2));
  canvas.getContext('2d', { alpha: false }).drawImage(level, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function canvasOf(width, height) {
  return Object.assign(document.createElement('canvas'), { width, height });
}

/** Without a size it holds no memory, long before it is collected. */
function release(canvas) {
  canvas.width = 0;
  canvas.height = 0;
}
