/**
 * How one image is looked at, and every change of that: its placement, its window, whether it is inverted. Pure, and every look is frozen.
 *
 * A look: a placement (see geometry.js) with {fitted, window, inverted}. While it is `fitted` the zoom follows the pane, so `settled` has to
 * be asked before it is drawn. A frame: {image: {width, height}, pane: {width, height}}, in pixels of the image and of the device.
 */
import * as geometry from './geometry.js';
import * as windowing from './windowing.js';

const STEP = 1.25;
const FOCUS = Object.freeze({ x: 0, y: 0 });

export const initialLook = Object.freeze({
  zoom: 1, x: 0, y: 0, ...geometry.upright, fitted: true, window: windowing.FULL, inverted: false,
});

/** The look as it is in this frame. */
export function settled(look, frame) {
  if (look.fitted) return Object.freeze({ ...look, zoom: fitIn(look, frame), x: 0, y: 0 });
  return Object.freeze(geometry.held(look, frame.image));
}

const fitIn = (look, { image, pane }) => geometry.fitZoom(look, image, pane);
const loose = (look, frame) => Object.freeze(geometry.held({ ...look, fitted: false }, frame.image));
const changed = (look, changes) => Object.freeze({ ...look, ...changes });

function zoomTo(look, frame, zoom, at) {
  return loose(geometry.zoomedAt(look, geometry.boundedZoom(zoom, fitIn(look, frame)), at), frame);
}

/** Verbs that place the image: two linked panes share them. Each is given a settled look. */
export const PLACING = {
  zoomIn: (look, frame) => zoomTo(look, frame, look.zoom * STEP, FOCUS),
  zoomOut: (look, frame) => zoomTo(look, frame, look.zoom / STEP, FOCUS),
  zoom: (look, frame, { factor, at }) => zoomTo(look, frame, look.zoom * factor, at),
  move: (look, frame, by) => loose(geometry.moved(look, by), frame),
  pinch: (look, frame, { from, to }) =>
    loose(geometry.pinched(look, from, to, (zoom) => geometry.boundedZoom(zoom, fitIn(look, frame))), frame),
  fit: (look) => changed(look, { fitted: true }),
  oneToOne: (look, frame) => zoomTo(look, frame, 1, FOCUS),
  /** Nearer at the first, all of it at the second. */
  toggleZoom: (look, frame, at) => (look.fitted ? zoomTo(look, frame, Math.max(1, look.zoom * 2), at) : PLACING.fit(look)),
  reset: () => initialLook,
};

/** Verbs that are one image's own: a film that was laid the wrong way round is turned alone. */
export const OWN = {
  turnRight: (look) => changed(look, geometry.turned(look, 1)),
  turnLeft: (look) => changed(look, geometry.turned(look, -1)),
  flipAcross: (look) => changed(look, geometry.flippedAcross(look)),
  flipDown: (look) => changed(look, geometry.flippedDown(look)),
  invert: (look) => changed(look, { inverted: !look.inverted }),
  dragWindow: (look, _, by) => changed(look, { window: windowing.dragged(look.window, by) }),
  setWindow: (look, _, window) => changed(look, { window: windowing.bounded({ ...windowing.shownWindow(look.window), ...window }) }),
  preset: (look, _, name) => changed(look, { window: windowing.PRESETS[name] }),
};

/** `other` looked at in its own frame as `look` is in its: as near to its fit, moved as far; at the very same zoom where both are of one size. */
export function alike(other, look, { frame, otherFrame }) {
  if (look.fitted) return changed(other, { fitted: true });
  const same = ['width', 'height'].every((side) => frame.image[side] === otherFrame.image[side]);
  const zoom = same ? look.zoom : geometry.boundedZoom((look.zoom / fitIn(look, frame)) * fitIn(other, otherFrame), fitIn(other, otherFrame));
  return loose({ ...other, zoom, x: look.x, y: look.y }, otherFrame);
}
