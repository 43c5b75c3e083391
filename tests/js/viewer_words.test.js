import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYS } from '../../medserver/static/js/viewer/keys.js';
import { initialLook } from '../../medserver/static/js/viewer/look.js';
import { PRESETS } from '../../medserver/static/js/viewer/windowing.js';
import * as words from '../../medserver/static/js/words/index.js';

const film = { number: 2, of: 3, message: 4, draft: false, image: { name: 'knee.png', label: 'prior' } };
const say = (changes, window = { width: 256, level: 128 }, isFull = true) =>
  words.viewer.status(words.viewer.place(film, false), { ...initialLook, ...changes }, window, isFull);

test('the status says the image, its zoom, and everything that was done to it', () => {
  assert.equal(say({ zoom: 1.5, inverted: true }), 'Image 2 of 3, 150 %, inverted');
  assert.equal(
    say({ zoom: 0.4567, quarter: 3, flippedH: true }, { width: 100, level: 80 }, false),
    'Image 2 of 3, 45.7 %, turned 90° anticlockwise, flipped horizontally, window 100, level 80',
  );
  assert.match(say({ flippedV: true }), /flipped vertically/);
  assert.match(say({ flippedH: true, flippedV: true }), /flipped both ways/);
  assert.doesNotMatch(say({}), /flipped|turned|inverted|window/);
});

test('where several messages hold images it is said which message', () => {
  assert.equal(words.viewer.place(film, true), 'Message 4, image 2 of 3');
  assert.equal(words.viewer.place({ ...film, draft: true }, true), 'Draft, image 2 of 3');
  assert.equal(words.viewer.choice(film, false), 'Image 2 (prior): knee.png');
  assert.equal(words.viewer.choice(film, true), 'Message 4, image 2 (prior): knee.png');
});

test('every verb that has a key and every preset has a name', () => {
  for (const { verb, by } of KEYS) {
    const known = { preset: words.viewer.presets[by], chooseTool: words.viewer.verbs[by === 'move' ? 'chooseMove' : 'chooseWindow'] };
    assert.ok(known[verb] ?? words.viewer.verbs[verb], verb);
  }
  for (const name of Object.keys(PRESETS)) assert.ok(words.viewer.presets[name], name);
});

test('the limits of a message are said before it is sent', () => {
  assert.equal(words.draftImages.figures({ images: 2, limit: 10, size: 3.44, each: 20 }), '2 of 10 images, 3.4 MB, at most 20 MB each');
  assert.equal(words.draftImages.figures({ images: 1, limit: undefined, size: 0.2, each: undefined }), '1 image, 0.2 MB');
});
