import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ending from '../../medserver/static/js/ending.js';
import * as words from '../../medserver/static/js/words/index.js';

const reply = (kind, { text = 'Answer', thinking = '', phase = 'ended' } = {}) => ({ ending: kind, text, thinking, phase, ahead: null });
const say = (...about) => words.ending(reply(...about));

test('every ending looks like what it is, and only a finished one looks complete', () => {
  const usage = { completion_tokens: 2048 };
  assert.deepEqual(say(ending.byReason({ reason: 'stop', usage, timings: { tokens_per_second: 38.24 } })), {
    tone: 'quiet', title: 'Finished.', rest: '2,048 tokens, 38.2 tokens/s', code: null,
  });
  assert.equal(say(ending.byReason({ reason: 'length', usage })).title, 'Cut at 2,048 tokens.');
  assert.match(say(ending.byReason({ reason: 'length', usage }), { text: '', thinking: 'a' }).rest, /spent thinking/);
  const incomplete = [
    ending.byReader(), ending.bySilence(), ending.byFailure({ sentence: 'Lost.', code: 'engine_lost' }),
    ...['length', 'repetition', 'cancelled', 'unheard_of'].map((reason) => ending.byReason({ reason, usage: null, timings: null })),
  ];
  const titles = incomplete.map((one) => {
    assert.notEqual(say(one).tone, 'quiet');
    return say(one).title;
  });
  assert.equal(new Set(titles).size, titles.length);
  assert.deepEqual(say(ending.byFailure({ sentence: 'Lost.', code: 'engine_lost' })), { tone: 'bad', title: 'Failed.', rest: 'Lost.', code: 'engine_lost' });
});

test('the queue is said in words', () => {
  const waiting = (ahead) => words.waiting({ phase: 'waiting', ahead });
  assert.equal(waiting(2), 'Waiting: 2 ahead of you');
  assert.equal(waiting(0), 'You are next');
  assert.equal(waiting(null), 'Waiting for the model');
  assert.equal(words.waiting({ phase: 'answering' }), '');
});

test('a refusal says the server’s sentence, what to do, and its code', () => {
  const refusal = { status: 429, code: 'rate_limited', sentence: 'Too many requests from this address.', retryAt: 12000, requestId: 'r' };
  const said = words.notice(refusal, 0);
  assert.equal(said.tone, 'bad');
  assert.match(said.rest, /Too many requests from this address\. Try again in 12 seconds\./);
  assert.equal(said.code, '429 · rate_limited');
  assert.doesNotMatch(words.notice(refusal, 13000).rest, /Try again/);
  assert.match(words.notice({ ...refusal, status: 500, code: 'internal' }, 99999).code, /500 · internal · r/);
  assert.match(words.notice({ status: 502, code: null, sentence: null, retryAt: null }, 0).rest, /answered 502/);
});

test('every problem of a draft has its sentence', () => {
  const figures = { amount: 12, limit: 10, number: 1, name: 'a.png', names: ['a.gif'], ofDraft: true };
  for (const code of [
    'images_not_supported', 'too_many_images', 'payload_too_large', 'text_too_long', 'conversation_too_long', 'too_many_messages', 'no_text',
    'already_replying', 'loading', 'unknown_image_type', 'unreadable_image', 'unreachable',
  ]) {
    const { title, rest } = words.notice({ code, ...figures }, 0);
    assert.doesNotMatch(`${title} ${rest}`, /undefined|NaN|null/, code);
    assert.doesNotMatch(title, /No answer came/, code);
  }
});

test('a name from outside is never taken for one of the language', () => {
  const made = words.madeBy({ model: 'M', engine: null, parameters: { constructor: 1, toString: 2 } });
  assert.deepEqual(made, ['Model: M', 'Parameters: constructor 1, toString 2']);
  assert.equal(words.notice({ code: 'constructor' }, 0).title, 'No answer came.');
  assert.equal(say(ending.byFailure({ sentence: null, code: 'constructor' })).rest, 'The server gave no reason.');
});

test('no sentence shouts', () => {
  const all = JSON.stringify([words.page, words.banner, words.terms, words.welcome, words.composer, words.turn, words.leaving, words.wiping, words.editing, words.undo, words.sessions, words.downloading]);
  assert.doesNotMatch(all, /!/);
});

test('the status tells what was tried and why', () => {
  const rows = words.statusRows({ model_name: 'Demo', supports_images: true, engine: { name: 'transformers', state: 'ready', tried: [{ name: 'sglang', why: 'no GPU' }], restarts: 2 } });
  assert.deepEqual(rows, [
    ['Model', 'Demo'], ['Reads', 'text and images'], ['Engine', 'transformers, ready'], ['Not used', 'sglang: no GPU'], ['Restarts', '2'],
  ]);
  assert.deepEqual(words.statusRows(null), []);
});

test('a download is said in the unit that suits it, and everything else is counted', () => {
  const said = (stage, done, total) => words.status.progress({ stage, done, total });
  assert.equal(said('download', 3_210_000_000, 8_600_000_000), 'Downloading the weights, 3.2 of 8.6 GB (37 %).');
  assert.equal(
    words.status.progress({ stage: 'download', done: 3_210_000_000, total: 8_600_000_000, pace: { speed: 41_250_000, left: 130.7 } }),
    'Downloading the weights, 3.2 of 8.6 GB (37 %), 41.3 MB/s, about 3 minutes left.',
  );
  assert.equal(said('checking', 0, 64_000_000), 'Checking the weights, 0 of 64 MB (0 %).');
  assert.equal(said('weights', 3, 12), 'Loading the weights, 3 of 12.');
  assert.equal(said('download', null, null), 'Downloading the weights.');
});
