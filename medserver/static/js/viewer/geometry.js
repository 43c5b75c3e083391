/**
 * Where an image lies on the screen: turned, flipped, zoomed and moved. Pure; knows no canvas, no pointer and no key.
 *
 * A placement: {zoom, x, y, quarter, flippedH, flippedV}. `zoom` is screen pixels per image pixel, `x` and `y` are where the centre of the
 * image stands, `quarter` counts turns clockwise; flips are those of the screen, after the turn. Screen points are measured in device pixels
 * from the centre of the pane, image points in image pixels from its upper left corner.
 */
export const MOST_ZOOM = 32;

export const upright = Object.freeze({ quarter: 0, flippedH: false, flippedV: false });

const COSINE = [1, 0, -1, 0];
const SINE = [0, 1, 0, -1];

/** The turn and the flips as {a, b, c, d} of a canvas transform, without the zoom. */
export function linear({ quarter, flippedH, flippedV }) {
  const [h, v] = [flippedH ? -1 : 1, flippedV ? -1 : 1];
  return { a: h * COSINE[quarter], b: v * SINE[quarter], c: -h * SINE[quarter], d: v * COSINE[quarter] };
}

export function toScreen(placement, image, point) {
  const { a, b, c, d } = linear(placement);
  const [x, y] = [point.x - image.width / 2, point.y - image.height / 2];
  return { x: placement.zoom * (a * x + c * y) + placement.x, y: placement.zoom * (b * x + d * y) + placement.y };
}

export function toImage(placement, image, point) {
  const { a, b, c, d } = linear(placement);
  const [x, y] = [(point.x - placement.x) / placement.zoom, (point.y - placement.y) / placement.zoom];
  // Turns and flips keep lengths and angles, so the way back is the transpose.
  return { x: a * x + b * y + image.width / 2, y: c * x + d * y + image.height / 2 };
}

/**
 * The six numbers of setTransform that put the image, drawn at 0, 0 in its own size, into a pane. It begins at a whole pixel: half a pixel off,
 * an image at 1:1 would be a blurred one.
 */
export function transformOf(placement, image, pane) {
  const { a, b, c, d } = linear(placement);
  const origin = toScreen(placement, image, { x: 0, y: 0 });
  const { zoom } = placement;
  return [zoom * a, zoom * b, zoom * c, zoom * d, Math.round(origin.x + pane.width / 2), Math.round(origin.y + pane.height / 2)];
}

/** Width and height on the screen at a zoom of one. */
export function extent({ quarter }, { width, height }) {
  return quarter % 2 === 0 ? { width, height } : { width: height, height: width };
}

/** The zoom at which the whole image is seen as large as the pane allows. */
export function fitZoom(placement, image, pane) {
  const { width, height } = extent(placement, image);
  return Math.min(pane.width / width, pane.height / height);
}

/** `fit` is the zoom that shows the whole image; nobody can lose it by making it smaller still. */
export function boundedZoom(zoom, fit) {
  return Math.min(Math.max(zoom, Math.min(fit, 1) / 2), Math.max(MOST_ZOOM, fit));
}

/** The point of the image under `point` stays under it. */
export function zoomedAt(placement, zoom, point) {
  const factor = zoom / placement.zoom;
  return { ...placement, zoom, x: point.x - (point.x - placement.x) * factor, y: point.y - (point.y - placement.y) * factor };
}

export function moved(placement, { x, y }) {
  return { ...placement, x: placement.x + x, y: placement.y + y };
}

/** Two fingers went from one pair of points to another: what was between them stays between them. `bound` limits the zoom. */
export function pinched(placement, from, to, bound = (zoom) => zoom) {
  const before = middle(from);
  const after = middle(to);
  const apart = distance(from);
  const zoom = bound(apart > 0 ? placement.zoom * (distance(to) / apart) : placement.zoom);
  return moved(zoomedAt(placement, zoom, before), { x: after.x - before.x, y: after.y - before.y });
}

/** By a quarter, 1 clockwise and -1 the other way as it is seen, about the middle of the pane. */
export function turned(placement, direction) {
  // One flip reverses the sense of a turn that lies below it.
  const below = placement.flippedH === placement.flippedV ? direction : -direction;
  return {
    ...placement,
    quarter: (placement.quarter + below + 4) % 4,
    x: direction > 0 ? -placement.y : placement.y,
    y: direction > 0 ? placement.x : -placement.x,
  };
}

/** As it is seen: left and right change places, about the middle of the pane. */
export function flippedAcross(placement) {
  return { ...placement, flippedH: !placement.flippedH, x: -placement.x };
}

/** Above and below change places. */
export function flippedDown(placement) {
  return { ...placement, flippedV: !placement.flippedV, y: -placement.y };
}

/** The middle of the pane stays on the image, so that it can always be found again. */
export function held(placement, image) {
  const { width, height } = extent(placement, image);
  const within = (value, size) => Math.min(Math.max(value, -placement.zoom * size / 2), placement.zoom * size / 2);
  return { ...placement, x: within(placement.x, width), y: within(placement.y, height) };
}

/** Left and right are exchanged: two flips are a half turn. */
export function isMirrored({ flippedH, flippedV }) {
  return flippedH !== flippedV;
}

const middle = ([one, other]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
const distance = ([one, other]) => Math.hypot(one.x - other.x, one.y - other.y);
