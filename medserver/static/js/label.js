/**
 * What somebody called an image of a message, and the line that tells the model; knows neither the message box nor the wire.
 *
 * The line is part of the message, so it counts among its characters.
 */
export const LABELS = Object.freeze(['prior', 'current']);

export const LONGEST = 40;

/** One line and no brackets, which would end the label early. */
export function labelOf(text) {
  return text.replace(/[\s()]+/g, ' ').trim().slice(0, LONGEST).trimEnd();
}

/** One line before each image, as soon as one of them has a label; otherwise none. */
export function labelLines(images) {
  if (!images.some((image) => image.label)) return [];
  return images.map((image, index) => `Image ${index + 1}${image.label ? ` (${image.label})` : ''}:`);
}
