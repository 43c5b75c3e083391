import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelLines, labelOf, LONGEST } from '../../medserver/static/js/label.js';
import { problemsOf } from '../../medserver/static/js/limits.js';
import { chatRequest } from '../../medserver/static/js/request.js';

const image = (id, label = '') => ({ id, label, size: 0 });
const contentOf = (images) => chatRequest([{ role: 'user', text: 'Compare.', images }], { settings: {}, addressOf: ({ id }) => id }).messages[0];

test('one label gives every image its line, before it and in its order', () => {
  assert.deepEqual(contentOf([image('b', 'prior'), image('a')]), {
    role: 'user',
    content: [
      { type: 'text', text: 'Image 1 (prior):' }, { type: 'image' }, { type: 'text', text: 'Image 2:' }, { type: 'image' },
      { type: 'text', text: 'Compare.' },
    ],
    image_data: ['b', 'a'],
  });
});

test('without a label the message is its text', () => {
  assert.deepEqual(contentOf([image('a'), image('b')]), { role: 'user', content: 'Compare.', image_data: ['a', 'b'] });
  assert.deepEqual(labelLines([]), []);
  assert.deepEqual(labelLines([{ id: 1 }]), [], 'as in a conversation that was kept before there were labels');
});

test('a label stays on its line and inside its brackets', () => {
  assert.equal(labelOf('  2 days\nafter (supine)'), '2 days after supine');
  assert.equal(labelOf('x'.repeat(99)).length, LONGEST);
});

test('the lines count among the characters of the message, as the server counts them', () => {
  const draft = { text: '12345', images: [image('a', 'prior')] };
  const length = 5 + 'Image 1 (prior):'.length;
  const problems = (limit) => problemsOf(draft, [], { max_text_length: limit, max_image_count: 10, max_payload_mb: 1 });
  assert.deepEqual(problems(length), []);
  assert.deepEqual(problems(length - 1), [{ code: 'text_too_long', amount: length, limit: length - 1 }]);
});
