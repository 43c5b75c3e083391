import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as windowing from '../../medserver/static/js/viewer/windowing.js';

test('the full window leaves every value as it is, and inverted it turns black to white', () => {
  assert.deepEqual(windowing.lookupTable(windowing.FULL, false), Array.from({ length: 256 }, (_, value) => value));
  assert.deepEqual(windowing.lookupTable(windowing.FULL, true), Array.from({ length: 256 }, (_, value) => 255 - value));
});

// The worked example of DICOM PS3.3 C.11.2.1.2.1 for a centre of 2048 and a width of 4096, and for a width of 1.
test('the linear function is that of DICOM', () => {
  const wide = { level: 2048, width: 4096 };
  assert.equal(windowing.windowed(0, wide), 0);
  assert.equal(windowing.windowed(4095, wide), 255);
  assert.ok(Math.abs(windowing.windowed(1000, wide) - ((1000 - 2047.5) / 4095 + 0.5) * 255) < 1e-9);
  const zero = { level: 0, width: 100 };
  assert.equal(windowing.windowed(-50, zero), 0);
  assert.equal(windowing.windowed(49, zero), 255);
  const step = { level: 0, width: 1 };
  assert.deepEqual([windowing.windowed(-1, step), windowing.windowed(0, step)], [0, 255]);
});

test('every window rises from black to white and never falls', () => {
  for (const width of [1, 2, 17, 96, 256, 512]) {
    for (const level of [0, 48, 128, 255]) {
      const table = windowing.lookupTable({ width, level }, false);
      table.forEach((value, index) => assert.ok(Number.isInteger(value) && value >= (table[index - 1] ?? 0) && value <= 255));
    }
  }
});

test('to the right the contrast falls, downwards the image darkens, and neither leaves its range', () => {
  const before = { width: 100, level: 100 };
  const grey = (window) => windowing.lookupTable(window, false)[110];
  assert.ok(grey(windowing.dragged(before, { x: 0, y: 30 })) < grey(before));
  assert.ok(grey(windowing.dragged(before, { x: 60, y: 0 })) < grey(before));
  assert.deepEqual(windowing.dragged(before, { x: -1000, y: -1000 }), { width: 1, level: 0 });
  assert.deepEqual(windowing.dragged(before, { x: 1000, y: 1000 }), { width: windowing.MOST_WIDTH, level: 255 });
});

test('what is written is what is applied', () => {
  const between = { width: 99.6, level: 100.4 };
  assert.deepEqual(windowing.shownWindow(between), { width: 100, level: 100 });
  assert.deepEqual(windowing.lookupTable(between, false), windowing.lookupTable({ width: 100, level: 100 }, false));
});

test('the window of a histogram spans what is there, without the outermost hundredth', () => {
  const histogram = new Array(256).fill(0);
  for (let value = 40; value <= 89; value += 1) histogram[value] = 100;
  histogram[0] = 10;
  histogram[255] = 10;
  const window = windowing.windowOf(histogram);
  assert.deepEqual(window, { width: 50, level: 65 });
  const table = windowing.lookupTable(window, false);
  assert.deepEqual([table[40], table[89]], [0, 255]);
  const even = new Array(256).fill(0);
  even[7] = 9;
  assert.deepEqual(windowing.windowOf(even), windowing.FULL, 'one single value has no contrast to gain');
});

test('a preset is known again by its figures', () => {
  for (const [name, window] of Object.entries(windowing.PRESETS)) assert.equal(windowing.presetOf(window), name);
  assert.equal(windowing.presetOf({ width: 3, level: 3 }), null);
});
