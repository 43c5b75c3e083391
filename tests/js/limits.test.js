import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countCharacters, problemsOf } from '../../medserver/static/js/limits.js';

const health = {
  supports_images: true, max_text_length: 10, max_conversation_length: 30, max_history_messages: 3, max_image_count: 2, max_payload_mb: 1,
};
const draft = (text, ...sizes) => ({ text, images: sizes.map((size, index) => ({ id: index, name: `${index}.png`, size })) });
const codes = (...check) => problemsOf(...check).map((problem) => problem.code);
const MB = 1024 * 1024;

test('each limit is checked at its edge', () => {
  assert.deepEqual(codes(draft('x'.repeat(10), MB, MB), [], health), []);
  assert.deepEqual(codes(draft('x'.repeat(11)), [], health), ['text_too_long']);
  assert.deepEqual(codes(draft('x', 1, 1, 1), [], health), ['too_many_images']);
  assert.deepEqual(problemsOf(draft('x', 1, 2 * MB), [], health), [{ code: 'payload_too_large', amount: 2, limit: 1, number: 2, name: '1.png' }]);
  const turns = [{ role: 'user', text: 'x'.repeat(25), images: [] }, { role: 'assistant', text: 'y' }];
  assert.deepEqual(codes(draft('x'.repeat(4)), turns, health), []);
  assert.deepEqual(codes(draft('x'.repeat(5)), turns, health), ['conversation_too_long']);
  assert.deepEqual(codes(draft('x'), [...turns, { role: 'user', text: '', images: [] }], health), ['too_many_messages']);
});

test('a model without eyes refuses images of this and of earlier messages', () => {
  const blind = { ...health, supports_images: false };
  assert.deepEqual(codes(draft('x', 1), [], blind), ['images_not_supported']);
  assert.deepEqual(codes(draft('x'), [{ role: 'user', text: 'a', images: [{ id: 1 }] }], blind), ['images_not_supported']);
});

test('nothing is refused while nothing is known or written', () => {
  assert.deepEqual(codes(draft('x'.repeat(99)), [], null), []);
  assert.deepEqual(codes(draft(''), [], { ...health, max_history_messages: 0 }), []);
});

test('characters are counted as the server counts them', () => {
  assert.equal(countCharacters('a𝒳b'), 3);
  assert.equal(countCharacters('é体'), 2);
});
