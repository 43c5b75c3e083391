/**
 * Brightness and contrast as window and level over the 256 values that a display image has; knows no image and no filter.
 *
 * The linear function is that of DICOM PS3.3 C.11.2.1.2.1 (VOI LUT, LINEAR), with 0 and 255 as the ends of the output: `level` is its
 * window centre, `width` its window width. A width of 256 at a level of 128 leaves every value as it is.
 */
export const FULL = Object.freeze({ width: 256, level: 128 });

export const MOST_WIDTH = 512;

/** Values of a display image have lost their Hounsfield units, so presets are named after what they show. */
export const PRESETS = Object.freeze({
  full: FULL,
  contrast: Object.freeze({ width: 128, level: 128 }),
  dark: Object.freeze({ width: 96, level: 48 }),
  bright: Object.freeze({ width: 96, level: 207 }),
});

export function windowed(value, { width, level }) {
  if (value <= level - 0.5 - (width - 1) / 2) return 0;
  if (value > level - 0.5 + (width - 1) / 2) return 255;
  return ((value - (level - 0.5)) / (width - 1) + 0.5) * 255;
}

/** What each of the 256 values becomes. */
export function lookupTable(window, inverted) {
  const { width, level } = shownWindow(window);
  return Array.from({ length: 256 }, (_, value) => {
    const shown = Math.round(windowed(value, { width, level }));
    return inverted ? 255 - shown : shown;
  });
}

/** A drag moves by fractions; what is applied and what is written are the same whole figures. */
export function shownWindow({ width, level }) {
  return { width: Math.round(width), level: Math.round(level) };
}

export function bounded({ width, level }) {
  return { width: Math.min(Math.max(width, 1), MOST_WIDTH), level: Math.min(Math.max(level, 0), 255) };
}

/** As in other viewers: to the right the window widens, downwards the level rises and the image darkens. */
export function dragged({ width, level }, { x, y }) {
  return bounded({ width: width + x, level: level + y });
}

/** The window from the darkest to the brightest values of a histogram, the outermost 1 % of either end left out. */
export function windowOf(histogram) {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  const low = firstBeyond(histogram, total * 0.01);
  const high = 255 - firstBeyond([...histogram].reverse(), total * 0.01);
  return high > low ? { width: high - low + 1, level: (low + high + 1) / 2 } : FULL;
}

function firstBeyond(histogram, count) {
  let sum = 0;
  return histogram.findIndex((here) => {
    sum += here;
    return sum > count;
  });
}

/** The name of the preset that this window is, or null. */
export function presetOf(window) {
  const { width, level } = shownWindow(window);
  return Object.keys(PRESETS).find((name) => PRESETS[name].width === width && PRESETS[name].level === level) ?? null;
}
