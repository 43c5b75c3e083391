import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pinOf, said } from '../../medserver/static/js/pairing.js';
import { pairing as words } from '../../medserver/static/js/words/other_pages.js';

test('a PIN is six digits, however they are grouped', () => {
  for (const typed of ['123456', '123 456', ' 12-34-56 ', '123.456', '123 456']) assert.equal(pinOf(typed), '123456');
  assert.equal(pinOf('000 000'), '000000');
});

test('what is no PIN is not sent', () => {
  for (const typed of ['', '12345', '1234567', '12a456', '１２３４５６']) assert.equal(pinOf(typed), null);
});

test('the server speaks first, and where it did not the status is named', () => {
  assert.equal(said(403, { detail: 'That is not the PIN. 4 tries left.', code: 'wrong_code' }), 'That is not the PIN. 4 tries left.');
  assert.equal(said(502, null), words.failed(502));
});
