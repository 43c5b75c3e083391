import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toImage } from '../../medserver/static/js/viewer/geometry.js';
import { alike, initialLook, OWN, PLACING, settled } from '../../medserver/static/js/viewer/look.js';

const frame = { image: { width: 3000, height: 2500 }, pane: { width: 600, height: 600 } };
const at = settled(initialLook, frame);

test('fitted, the zoom follows the pane; afterwards it stays', () => {
  assert.equal(at.zoom, 0.2);
  assert.equal(settled(initialLook, { ...frame, pane: { width: 300, height: 900 } }).zoom, 0.1);
  const full = PLACING.oneToOne(at, frame);
  assert.equal(full.zoom, 1);
  assert.equal(settled(full, { ...frame, pane: { width: 300, height: 900 } }).zoom, 1);
});

test('a turned image is fitted by its new sides', () => {
  assert.equal(settled(OWN.turnRight(at), { ...frame, pane: { width: 250, height: 900 } }).zoom, 0.1);
});

test('a zoom at the pointer keeps what is under it, down to the bounds', () => {
  const point = { x: 120, y: -90 };
  const nearer = PLACING.zoom(at, frame, { factor: 3, at: point });
  assert.ok(Math.abs(toImage(nearer, frame.image, point).x - toImage(at, frame.image, point).x) < 1e-6);
  assert.equal(PLACING.zoom(at, frame, { factor: 1e9, at: point }).zoom, 32);
  assert.equal(PLACING.zoom(at, frame, { factor: 1e-9, at: point }).zoom, 0.1);
});

test('a double tap goes near and back', () => {
  const nearer = PLACING.toggleZoom(at, frame, { x: 0, y: 0 });
  assert.equal(nearer.zoom, 1);
  assert.equal(settled(PLACING.toggleZoom(nearer, frame, { x: 0, y: 0 }), frame).zoom, 0.2);
  const small = { image: { width: 100, height: 100 }, pane: { width: 600, height: 600 } };
  assert.equal(PLACING.toggleZoom(settled(initialLook, small), small, { x: 0, y: 0 }).zoom, 12);
});

test('a pinch is bounded as a zoom is', () => {
  const from = [{ x: -1, y: 0 }, { x: 1, y: 0 }];
  const to = [{ x: -300, y: 0 }, { x: 300, y: 0 }];
  assert.equal(PLACING.pinch(at, frame, { from, to }).zoom, 32);
});

test('reset takes everything back', () => {
  const changed = [OWN.turnLeft, OWN.flipAcross, OWN.invert].reduce((look, verb) => verb(look), PLACING.oneToOne(at, frame));
  assert.deepEqual([changed.quarter, changed.flippedH, changed.inverted, changed.zoom], [3, true, true, 1]);
  assert.equal(PLACING.reset(changed), initialLook);
});

test('a number of a window changes that number alone, and nothing out of range is taken', () => {
  const look = OWN.setWindow(OWN.dragWindow(at, frame, { x: -56.4, y: 0 }), frame, { level: 90 });
  assert.deepEqual(look.window, { width: 200, level: 90 });
  assert.deepEqual(OWN.setWindow(look, frame, { width: 0 }).window, { width: 1, level: 90 });
  assert.deepEqual(OWN.preset(look, frame, 'full').window, { width: 256, level: 128 });
});

test('images of different sizes are looked at alike: as near to their fit, moved as far', () => {
  const otherFrame = { image: { width: 600, height: 300 }, pane: frame.pane };
  const look = PLACING.move(PLACING.zoom(at, frame, { factor: 2, at: { x: 0, y: 0 } }), frame, { x: 25, y: -10 });
  const other = alike(settled(initialLook, otherFrame), look, { frame, otherFrame });
  assert.deepEqual([other.zoom, other.x, other.y], [2, 25, -10]);
  assert.equal(alike(other, PLACING.fit(look), { frame, otherFrame }).fitted, true);
});

test('images of one size are at one zoom, though their panes differ by a pixel', () => {
  const otherFrame = { ...frame, pane: { width: 599, height: 600 } };
  const look = PLACING.zoomIn(at, frame);
  assert.equal(alike(settled(initialLook, otherFrame), look, { frame, otherFrame }).zoom, look.zoom);
});
