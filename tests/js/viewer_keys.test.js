import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYS, verbOf } from '../../medserver/static/js/viewer/keys.js';
import { Gesture } from '../../medserver/static/js/viewer/gesture.js';

const pressed = (key, held = {}) => verbOf({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...held });

test('the keys of OHIF do what they do there', () => {
  for (const [key, verb] of Object.entries({
    i: 'invert', r: 'turnRight', l: 'turnLeft', h: 'flipAcross', v: 'flipDown', '+': 'zoomIn', '-': 'zoomOut', '=': 'fit', ' ': 'reset',
    ArrowDown: 'next', ArrowUp: 'previous', Escape: 'close',
  })) assert.equal(pressed(key).verb, verb, key);
});

test('shift is part of a sign, a meaning of its own with an arrow, and capitals are the same keys', () => {
  assert.equal(pressed('?', { shiftKey: true }).verb, 'help');
  assert.equal(pressed('+', { shiftKey: true }).verb, 'zoomIn');
  assert.equal(pressed('I', { shiftKey: true }).verb, 'invert');
  assert.deepEqual(pressed('ArrowLeft', { shiftKey: true }), { verb: 'move', by: { x: 60, y: 0 } });
  assert.equal(pressed('PageDown', { shiftKey: true }), null);
});

test('keys of the browser stay the browser’s, and no key has two meanings', () => {
  for (const held of ['ctrlKey', 'altKey', 'metaKey']) assert.equal(pressed('r', { [held]: true }), null);
  assert.equal(pressed('Tab'), null);
  const all = KEYS.flatMap(({ keys }) => keys);
  assert.equal(new Set(all).size, all.length);
});

const at = (id, x, y, more) => ({ id, x, y, time: 0, button: 0, ...more });

test('one pointer drags with the button it went down with', () => {
  const gesture = new Gesture();
  gesture.down(at(1, 10, 10, { button: 2 }));
  assert.deepEqual(gesture.move(at(1, 13, 6)), { kind: 'drag', button: 2, by: { x: 3, y: -4 } });
  assert.equal(gesture.move(at(7, 0, 0)), null, 'a pointer that never went down');
  gesture.up(at(1, 13, 6));
  assert.equal(gesture.active, false);
  assert.equal(gesture.move(at(1, 20, 20)), null);
});

test('two pointers pinch, and the one that stays drags on', () => {
  const gesture = new Gesture();
  gesture.down(at(1, 0, 0));
  gesture.down(at(2, 10, 0));
  assert.deepEqual(gesture.move(at(2, 20, 0)), { kind: 'pinch', from: [{ x: 0, y: 0 }, { x: 10, y: 0 }], to: [{ x: 0, y: 0 }, { x: 20, y: 0 }] });
  assert.equal(gesture.up(at(1, 0, 0)), null);
  assert.deepEqual(gesture.move(at(2, 21, 1)), { kind: 'drag', button: 0, by: { x: 1, y: 1 } });
});

test('two quick taps in one place are a double tap; slow, apart, dragged or pinched they are not', () => {
  const taps = (first, second) => {
    const gesture = new Gesture();
    gesture.down(first);
    gesture.up(first);
    gesture.down(second);
    return gesture.up(second);
  };
  assert.deepEqual(taps(at(1, 5, 5), at(2, 8, 5, { time: 200 })), { kind: 'double', at: { x: 8, y: 5 } });
  assert.equal(taps(at(1, 5, 5), at(2, 5, 5, { time: 900 })), null);
  assert.equal(taps(at(1, 5, 5), at(2, 95, 5, { time: 200 })), null);
  assert.equal(taps(at(1, 5, 5, { button: 2 }), at(2, 5, 5, { button: 2 })), null);
  const dragged = new Gesture();
  dragged.down(at(1, 5, 5));
  dragged.up(at(1, 5, 5));
  dragged.down(at(1, 5, 5));
  dragged.move(at(1, 15, 5));
  assert.equal(dragged.up(at(1, 5, 5, { time: 100 })), null);
  const pinched = new Gesture();
  pinched.down(at(1, 5, 5));
  pinched.down(at(2, 6, 5));
  pinched.up(at(2, 6, 5));
  pinched.up(at(1, 5, 5));
  pinched.down(at(1, 5, 5, { time: 50 }));
  assert.equal(pinched.up(at(1, 5, 5, { time: 60 })), null);
});
