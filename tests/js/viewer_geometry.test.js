import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as geometry from '../../medserver/static/js/viewer/geometry.js';

const image = { width: 3000, height: 2500 };
const pane = { width: 700, height: 800 };

const ORIENTATIONS = [0, 1, 2, 3].flatMap((quarter) => [false, true].flatMap((flippedH) => [false, true].map((flippedV) => ({ quarter, flippedH, flippedV }))));
const placed = (orientation, more = {}) => ({ zoom: 0.4, x: 37, y: -81, ...orientation, ...more });
const near = (point, other, note) => {
  assert.ok(Math.abs(point.x - other.x) < 1e-6 && Math.abs(point.y - other.y) < 1e-6, `${note ?? ''} ${JSON.stringify([point, other])}`);
};

test('there are sixteen ways to lay an image, of which eight differ', () => {
  const seen = new Set(ORIENTATIONS.map((orientation) => {
    const { a, b, c, d } = geometry.linear(orientation);
    assert.equal(Math.abs(a * d - b * c), 1);
    return [a, b, c, d].map((number) => number + 0).join();
  }));
  assert.equal(seen.size, 8);
});

test('screen and image map to each other for every turn and flip', () => {
  for (const orientation of ORIENTATIONS) {
    for (const point of [{ x: 0, y: 0 }, { x: 2999, y: 7 }, { x: 1500, y: 1250 }]) {
      near(geometry.toImage(placed(orientation), image, geometry.toScreen(placed(orientation), image, point)), point);
    }
  }
});

test('the transform of the canvas is the same mapping, from the corner of the pane, begun at a whole pixel', () => {
  for (const orientation of ORIENTATIONS) {
    const [a, b, c, d, e, f] = geometry.transformOf(placed(orientation), image, pane);
    const point = { x: 123, y: 456 };
    const { x, y } = geometry.toScreen(placed(orientation), image, point);
    assert.ok(Number.isInteger(e) && Number.isInteger(f));
    assert.ok(Math.abs(a * point.x + c * point.y + e - x - pane.width / 2) <= 0.5 + 1e-9);
    assert.ok(Math.abs(b * point.x + d * point.y + f - y - pane.height / 2) <= 0.5 + 1e-9);
  }
});

test('a zoom keeps the point of the image that is under the pointer, for every turn and flip', () => {
  const pointer = { x: -211, y: 140 };
  for (const orientation of ORIENTATIONS) {
    for (const zoom of [0.05, 0.4, 1, 7.5]) {
      const before = placed(orientation);
      const after = geometry.zoomedAt(before, zoom, pointer);
      assert.equal(after.zoom, zoom);
      near(geometry.toImage(after, image, pointer), geometry.toImage(before, image, pointer), JSON.stringify(orientation));
    }
  }
});

test('two fingers keep what was between them between them', () => {
  const from = [{ x: -100, y: 20 }, { x: 60, y: -40 }];
  const to = [{ x: -160, y: 90 }, { x: 130, y: -10 }];
  const between = ([one, other]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
  for (const orientation of ORIENTATIONS) {
    const before = placed(orientation);
    const after = geometry.pinched(before, from, to);
    near(geometry.toImage(after, image, between(to)), geometry.toImage(before, image, between(from)));
    assert.ok(Math.abs(after.zoom / before.zoom - Math.hypot(290, 100) / Math.hypot(160, 60)) < 1e-9);
  }
  const one = [{ x: 5, y: 5 }, { x: 5, y: 5 }];
  assert.equal(geometry.pinched(placed(ORIENTATIONS[0]), one, to).zoom, 0.4, 'fingers on one point say nothing about size');
  assert.equal(geometry.pinched(placed(ORIENTATIONS[0]), from, to, () => 2).zoom, 2, 'a bound is kept');
});

test('a turn and a flip are as they are seen, whatever went before', () => {
  const corner = { x: 0, y: 0 };
  for (const orientation of ORIENTATIONS) {
    const before = placed(orientation);
    const { x, y } = geometry.toScreen(before, image, corner);
    near(geometry.toScreen(geometry.turned(before, 1), image, corner), { x: -y, y: x }, 'clockwise');
    near(geometry.toScreen(geometry.turned(before, -1), image, corner), { x: y, y: -x }, 'the other way');
    near(geometry.toScreen(geometry.flippedAcross(before), image, corner), { x: -x, y }, 'left and right');
    near(geometry.toScreen(geometry.flippedDown(before), image, corner), { x, y: -y }, 'above and below');
  }
});

test('four turns, two flips and there and back again change nothing', () => {
  for (const orientation of ORIENTATIONS) {
    const before = placed(orientation);
    const round = [1, 1, 1, 1].reduce(geometry.turned, before);
    assert.deepEqual([round.quarter, round.x, round.y], [before.quarter, before.x, before.y]);
    assert.deepEqual(geometry.flippedAcross(geometry.flippedAcross(before)), before);
    assert.deepEqual(geometry.turned(geometry.turned(before, 1), -1), before);
  }
  assert.equal(geometry.isMirrored({ flippedH: true, flippedV: true }), false);
  assert.equal(geometry.isMirrored({ flippedH: false, flippedV: true }), true);
});

test('fitted, the whole image is seen and touches two edges', () => {
  for (const orientation of ORIENTATIONS) {
    const zoom = geometry.fitZoom(orientation, image, pane);
    const { width, height } = geometry.extent(orientation, image);
    assert.ok(width * zoom <= pane.width + 1e-9 && height * zoom <= pane.height + 1e-9);
    assert.ok(Math.abs(width * zoom - pane.width) < 1e-9 || Math.abs(height * zoom - pane.height) < 1e-9);
  }
});

test('the zoom is bounded, and the fit is always within the bounds', () => {
  assert.equal(geometry.boundedZoom(1000, 0.3), geometry.MOST_ZOOM);
  assert.equal(geometry.boundedZoom(0.0001, 0.3), 0.15);
  assert.equal(geometry.boundedZoom(0.0001, 6), 0.5);
  assert.equal(geometry.boundedZoom(50, 50), 50);
});

test('an image cannot be pushed out of its pane', () => {
  for (const orientation of ORIENTATIONS) {
    const far = geometry.held(placed(orientation, { x: 99999, y: -99999 }), image);
    const { width, height } = geometry.extent(orientation, image);
    assert.deepEqual([far.x, far.y], [0.2 * width, -0.2 * height]);
    const under = geometry.toImage(far, image, { x: 0, y: 0 });
    assert.ok(under.x >= -1e-9 && under.x <= image.width + 1e-9 && under.y >= -1e-9 && under.y <= image.height + 1e-9);
  }
  assert.deepEqual(geometry.held(placed(ORIENTATIONS[0]), image), placed(ORIENTATIONS[0]));
});
