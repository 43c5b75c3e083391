import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as conversation from '../../medserver/static/js/conversation.js';
import * as ending from '../../medserver/static/js/ending.js';
import { repeatsIn } from '../../medserver/static/js/repeats.js';
import * as state from '../../medserver/static/js/state.js';

const token = (text) => ({ type: 'token', text });
const thought = (text) => ({ type: 'thinking', text });
const asked = (text = 'Hello', images = []) => conversation.ask(conversation.empty, { text, images, ids: ['q', 'r'], at: 0 });
const grown = (...events) => events.reduce((talk, [event, at = 0]) => conversation.receive(talk, event, at), asked());
const reply = (talk) => conversation.lastReply(talk.turns);
const seen = (talk) => talk.turns.map((turn) => turn.text);

/** Each round [question, answer], named q1, r1, q2, … */
function talked(...rounds) {
  return rounds.reduce((talk, [question, answer], index) => {
    const ids = [`q${index + 1}`, `r${index + 1}`];
    return answered(conversation.ask(talk, { text: question, images: [], ids, at: index }), answer);
  }, conversation.empty);
}

const answered = (talk, text) => conversation.end(conversation.receive(talk, token(text), 0), ending.byReason(null), 0);
const again = (talk, id, newId, text) => answered(conversation.answerAgain(talk, id, { newId, at: 9 }), text);
const instead = (talk, id, text, answer) => answered(conversation.askInstead(talk, id, { text, ids: [`${id}'`, `${id}'r`], at: 9 }), answer);
const versions = (talk, id) => conversation.versionsOf(talk, conversation.turnOf(talk, id)).map((turn) => turn.id);

test('a reply goes from sending to waiting, thinking, answering and its end', () => {
  let talk = asked();
  const phases = [reply(talk).phase];
  for (const event of [{ type: 'opened' }, { type: 'queue', ahead: 2 }, thought('a'), token('b')]) {
    talk = conversation.receive(talk, event, 0);
    phases.push(reply(talk).phase);
  }
  assert.deepEqual(phases, ['sending', 'waiting', 'waiting', 'thinking', 'answering']);
  assert.equal(conversation.replying(talk.turns), true);
  assert.equal(conversation.replying(conversation.end(talk, ending.byReader(), 0).turns), false);
});

test('thinking is kept apart and its time stops when the answer begins', () => {
  const talk = grown([thought('a'), 1000], [thought('b'), 2500], [token('c'), 4000], [token('d'), 9000]);
  assert.deepEqual([reply(talk).thinking, reply(talk).text], ['ab', 'cd']);
  assert.equal(conversation.thoughtFor(reply(talk), 99999), 3000);
});

test('thinking that never reached an answer ends with the reply', () => {
  const talk = conversation.end(grown([thought('a'), 1000]), ending.byReader(), 5000);
  assert.equal(conversation.thoughtFor(reply(talk), 99999), 4000);
  assert.equal(conversation.thoughtFor(reply(asked()), 5), null);
});

test('turns are frozen and earlier ones stay the same objects', () => {
  const before = asked();
  const after = conversation.receive(before, token('a'), 0);
  assert.equal(after.turns[0], before.turns[0]);
  assert.ok([after, after.all, after.turns, after.turns[1]].every(Object.isFrozen));
  assert.equal(reply(before).text, '');
});

test('what arrives after the end changes nothing', () => {
  const talk = conversation.end(grown([token('a')]), ending.byReader(), 0);
  assert.equal(conversation.receive(talk, token('late'), 0), talk);
  assert.equal(conversation.end(talk, ending.bySilence(), 0), talk);
});

test('an answer made again and a question asked otherwise are versions, each with what followed it', () => {
  let talk = talked(['One', 'first'], ['Two', 'second']);
  talk = again(talk, 'r1', 'r1b', 'first, again');
  assert.deepEqual(seen(talk), ['One', 'first, again']);
  assert.deepEqual(versions(talk, 'r1b'), ['r1', 'r1b']);
  assert.deepEqual(seen(conversation.choose(talk, 'r1')), ['One', 'first', 'Two', 'second']);
  talk = instead(talk, 'q1', 'Uno', 'primo');
  assert.deepEqual(seen(talk), ['Uno', 'primo']);
  assert.deepEqual(seen(conversation.choose(talk, 'q1')), ['One', 'first, again']);
});

test('an edited answer is marked, keeps what followed, and gives way to the earlier version', () => {
  let talk = conversation.editAnswer(talked(['One', 'first'], ['Two', 'second']), 'r1', { text: 'mended', newId: 'e', at: 5 });
  assert.deepEqual(seen(talk), ['One', 'mended', 'Two', 'second']);
  assert.deepEqual([talk.turns[1].edited, talk.turns[1].ending.kind], [true, 'edited']);
  assert.deepEqual(seen(conversation.choose(talk, 'r1')), ['One', 'first', 'Two', 'second']);
  talk = conversation.remove(talk, 'e');
  assert.deepEqual(seen(talk), ['One', 'first', 'Two', 'second']);
});

test('a cut answer goes on as the same turn, a circling one from its first round as a new one', () => {
  const cut = conversation.end(grown([token('Half ')]), ending.byReason({ reason: 'length' }), 0);
  const on = conversation.receive(conversation.goOn(cut), token(' done'), 0);
  assert.deepEqual([reply(on).id, reply(on).text, reply(on).phase, reply(on).ending], ['r', 'Half done', 'answering', null]);
  const from = conversation.goOnFrom(cut, 'Hal', { newId: 'r2', at: 0 });
  assert.deepEqual([reply(from).text, versions(from, 'r2')], ['Hal', ['r', 'r2']]);
});

test('the only version leaves room for what followed, and a question takes its answers along', () => {
  const talk = talked(['One', 'first'], ['Two', 'second'], ['Three', 'third']);
  assert.deepEqual(seen(conversation.remove(talk, 'r2')), ['One', 'first', 'Two', 'Three', 'third']);
  const without = conversation.remove(again(conversation.choose(talk, 'r2'), 'r2', 'r2b', 'other'), 'q2');
  assert.deepEqual(seen(without), ['One', 'first']);
  const middle = conversation.remove(talk, 'q2');
  assert.deepEqual(seen(middle), ['One', 'first', 'Three', 'third']);
  assert.ok(!JSON.stringify(middle.all).includes('second') && !JSON.stringify(middle.all).includes('Two'), 'nothing of it is left');
  assert.equal(conversation.remove(talked(['One', 'first']), 'q1').all.length, 0);
});

test('one of several versions goes with what followed it alone', () => {
  const talk = conversation.remove(conversation.choose(again(talked(['One', 'first'], ['Two', 'second']), 'r1', 'r1b', 'other'), 'r1'), 'r1');
  assert.deepEqual(seen(talk), ['One', 'other']);
  assert.deepEqual(talk.all.map((turn) => turn.id), ['q1', 'r1b']);
});

test('what is deleted in any order leaves a conversation that can go on', () => {
  for (const order of [['q1', 'q2', 'q3'], ['r1', 'q2', 'r3', 'q1', 'q3'], ['r3', 'r2', 'r1', 'q3', 'q2', 'q1']]) {
    let talk = talked(['One', 'first'], ['Two', 'second'], ['Three', 'third']);
    for (const id of order) if (talk.turns.some((turn) => turn.id === id)) talk = conversation.remove(talk, id);
    assert.equal(talk.all.length, 0, order.join());
    assert.deepEqual(seen(conversation.ask(talk, { text: 'Next', images: [], ids: ['x', 'y'], at: 0 })), ['Next', '']);
  }
});

test('a kept conversation is whole again, and an orphan is not lost', () => {
  const talk = instead(talked(['One', 'first'], ['Two', 'second']), 'q2', 'Zwei', 'zweite');
  assert.deepEqual(conversation.kept([...talk.all], { ...talk.chosen }), talk);
  const orphaned = conversation.kept(talk.all.filter((turn) => turn.id !== 'r1'), {});
  assert.equal(orphaned.all.length, talk.all.length - 1);
  assert.deepEqual(seen(orphaned), ['Zwei', 'zweite']);
});

test('a refused message goes back into the box before what was typed meanwhile', () => {
  const image = { id: 9, name: 'a.png', size: 1 };
  let now = state.initialState;
  const before = now.conversation;
  const ask = state.asked({ ids: ['q', 'r', 's'], at: 1, made: null });
  for (const change of [state.typed('First'), state.imagesAdded([image]), ask, state.typed('Second')]) now = change(now);
  assert.deepEqual([now.draft.text, now.draft.images.length, now.turns.length, now.session.title], ['Second', 0, 2, 'First']);
  now = state.handedBack(before, { code: 'rate_limited', status: 429 })(now);
  assert.equal(now.draft.text, 'First\n\nSecond');
  assert.deepEqual(now.draft.images, [image]);
  assert.equal(now.turns.length, 0);
  assert.equal(now.notice.code, 'rate_limited');
  assert.equal(ask(now).session.title, 'First', 'the session has the name of what was asked in the end');
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

test('only what makes sense is offered for an ending', () => {
  const remedies = (kind, text, thinking = '') => Object.entries(ending.remediesOf({ ending: ending.byReason({ reason: kind }), text, thinking }))
    .filter(([, offered]) => offered).map(([name]) => name);
  assert.deepEqual(remedies('stop', 'All'), []);
  assert.deepEqual(remedies('length', 'Half'), ['continue']);
  assert.deepEqual(remedies('length', '', 'thought'), ['answerNow']);
  assert.deepEqual(remedies('repetition', 'No. No. No.'), ['continueAnyway']);
});

test('repeats are found whatever their period, and what is only alike is none', () => {
  const start = 'The lungs are clear. ';
  for (let period = 1; period <= 200; period += 7) {
    const round = Array.from({ length: period }, (_, index) => String.fromCharCode(97 + ((index * index + 3 * index) % 23))).join('');
    const text = start + round.repeat(Math.max(4, Math.ceil(160 / period)));
    const { once, rest } = repeatsIn(text);
    assert.equal(once + rest, text);
    assert.ok(once.length <= start.length + 2 * period && rest.length > 0, `period ${period}`);
  }
  const folded = repeatsIn(`${start}${'No effusion. '.repeat(12)}`);
  assert.deepEqual([folded.once, folded.times], [`${start}No effusion. `, 11]);
  const table = Array.from({ length: 40 }, (_, row) => `| Day ${row} | ${row * 7 % 11} | normal |`).join('\n');
  assert.equal(repeatsIn(table), null);
  assert.equal(repeatsIn(''), null);
});
