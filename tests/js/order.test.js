import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moved, placeAt, roomAt } from '../../medserver/static/js/order.js';

test('moving keeps the others in their order', () => {
  assert.deepEqual(moved(['a', 'b', 'c', 'd'], 0, 2), ['b', 'c', 'a', 'd']);
  assert.deepEqual(moved(['a', 'b', 'c', 'd'], 3, 0), ['d', 'a', 'b', 'c']);
  assert.deepEqual(moved(['a', 'b'], 1, 1), ['a', 'b']);
});

test('what is dragged lands past every neighbour whose middle it has passed', () => {
  const middles = [50, 150, 250, 350];
  assert.equal(placeAt(middles, 1, 150), 1, 'not moved yet');
  assert.equal(placeAt(middles, 1, 51), 1);
  assert.equal(placeAt(middles, 1, 49), 0);
  assert.equal(placeAt(middles, 0, 260), 2);
  assert.equal(placeAt(middles, 0, 9999), 3);
  assert.equal(placeAt(middles, 3, -9999), 0);
});

test('only those between make room, towards the place that was left', () => {
  assert.deepEqual([0, 1, 2, 3].map((index) => roomAt(index, 0, 2)), [0, -1, -1, 0]);
  assert.deepEqual([0, 1, 2, 3].map((index) => roomAt(index, 3, 1)), [0, 1, 1, 0]);
  assert.deepEqual([0, 1, 2].map((index) => roomAt(index, 1, 1)), [0, 0, 0]);
});
