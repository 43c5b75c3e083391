import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as conversation from '../../medserver/static/js/conversation.js';
import * as ending from '../../medserver/static/js/ending.js';
import { countCharacters, problemsOf } from '../../medserver/static/js/limits.js';
import * as state from '../../medserver/static/js/state.js';

const asked = (text = 'Hello', images = []) => conversation.ask([], { text, images, ids: [1, 2] });
const grown = (...events) => events.reduce((turns, [event, at = 0]) => conversation.receive(turns, event, at), asked());
const token = (text) => ({ type: 'token', text });
const thought = (text) => ({ type: 'thinking', text });

test('a reply goes from sending to waiting, thinking, answering and its end', () => {
  let turns = asked();
  const phases = [conversation.lastReply(turns).phase];
  for (const event of [{ type: 'opened' }, { type: 'queue', ahead: 2 }, thought('a'), token('b')]) {
    turns = conversation.receive(turns, event, 0);
    phases.push(conversation.lastReply(turns).phase);
  }
  assert.deepEqual(phases, ['sending', 'waiting', 'waiting', 'thinking', 'answering']);
  assert.equal(conversation.replying(turns), true);
  assert.equal(conversation.replying(conversation.end(turns, ending.byReader(), 0)), false);
});

test('thinking is kept apart and its time stops when the answer begins', () => {
  const turns = grown([thought('a'), 1000], [thought('b'), 2500], [token('c'), 4000], [token('d'), 9000]);
  const reply = conversation.lastReply(turns);
  assert.deepEqual([reply.thinking, reply.text], ['ab', 'cd']);
  assert.equal(conversation.thoughtFor(reply, 99999), 3000);
});

test('thinking that never reached an answer ends with the reply', () => {
  const turns = conversation.end(grown([thought('a'), 1000]), ending.byReader(), 5000);
  assert.equal(conversation.thoughtFor(conversation.lastReply(turns), 99999), 4000);
  assert.equal(conversation.thoughtFor(conversation.lastReply(asked()), 5), null);
});

test('turns are frozen and earlier ones stay the same objects', () => {
  const before = asked();
  const after = conversation.receive(before, token('a'), 0);
  assert.equal(after[0], before[0]);
  assert.ok(Object.isFrozen(after) && Object.isFrozen(after[1]));
  assert.equal(conversation.lastReply(before).text, '');
});

test('what arrives after the end changes nothing', () => {
  const turns = conversation.end(grown([token('a')]), ending.byReader(), 0);
  assert.equal(conversation.receive(turns, token('late'), 0), turns);
  assert.equal(conversation.end(turns, ending.bySilence(), 0), turns);
});

test('a refused message goes back into the box before what was typed meanwhile', () => {
  const image = { id: 9, name: 'a.png', size: 1 };
  let now = state.initialState;
  for (const change of [state.typed('First'), state.imagesAdded([image]), state.asked([1, 2]), state.typed('Second')]) now = change(now);
  assert.deepEqual([now.draft.text, now.draft.images.length, now.turns.length], ['Second', 0, 2]);
  now = state.handedBack({ code: 'rate_limited', status: 429 })(now);
  assert.equal(now.draft.text, 'First\n\nSecond');
  assert.deepEqual(now.draft.images, [image]);
  assert.equal(now.turns.length, 0);
  assert.equal(now.notice.code, 'rate_limited');
});

test('a notice about the draft goes when the draft changes, another stays', () => {
  const about = (notice) => state.typed('x')(state.noticed(notice)(state.initialState)).notice;
  assert.equal(about({ code: 'no_text', ofDraft: true }), null);
  assert.equal(about({ code: 'rate_limited', status: 429 }).code, 'rate_limited');
});

test('the notice that the model is loading goes when it has loaded', () => {
  const waiting = state.noticed({ code: 'loading' })(state.initialState);
  assert.equal(state.heard({ status: 'loading' })(waiting).notice.code, 'loading');
  assert.equal(state.heard({ status: 'ready' })(waiting).notice, null);
});

test('a lost server keeps the last figures', () => {
  const lost = state.unheard()(state.heard({ status: 'ready', demo: true })(state.initialState));
  assert.deepEqual([lost.link, lost.health.demo], ['down', true]);
  assert.equal(state.unheard()(lost), lost);
});

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
