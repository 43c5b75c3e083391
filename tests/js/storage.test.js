import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as conversation from '../../medserver/static/js/conversation.js';
import * as ending from '../../medserver/static/js/ending.js';
import { plain } from '../../medserver/static/js/markdown/plain.js';
import { groupsOf } from '../../medserver/static/js/sessions/groups.js';
import { excerptOf, found as foundIn, SearchIndex } from '../../medserver/static/js/sessions/search.js';
import { titleOf } from '../../medserver/static/js/sessions/title.js';
import { asked, cleared, drafted, ended, initialState, imagesAdded, received, troubleIn, turnRemoved, typed } from '../../medserver/static/js/state.js';
import { backupParts, NoBackup, sessionsFrom, VERSION } from '../../medserver/static/js/storage/backup.js';
import { Drafts } from '../../medserver/static/js/storage/drafts.js';
import { Persistence } from '../../medserver/static/js/storage/persistence.js';
import { Recorder } from '../../medserver/static/js/storage/recorder.js';
import { growsElsewhere, keptOf, messageOf } from '../../medserver/static/js/storage/records.js';
import { Gone } from '../../medserver/static/js/storage/trouble.js';
import { Store } from '../../medserver/static/js/store.js';

function found(query, sessions, messages) {
  const index = new SearchIndex();
  index.add(messages);
  return foundIn(query, sessions, index);
}

let last = 0;
const newId = () => `n${last += 1}`;
const blobOf = (base64, type) => {
  if (!/^[A-Za-z0-9+/=]*$/.test(base64)) throw new Error('not base64');
  return { base64, type };
};
const image = { id: 'i', name: 'a.png', type: 'image/png', size: 3, label: 'prior', file: 'bytes', preview: 'blob:x' };

function records() {
  let talk = conversation.ask(conversation.empty, { text: 'What is it?', images: [image], ids: ['q', 'r'], at: 1 });
  talk = conversation.end(conversation.receive(talk, { type: 'token', text: 'Clear.' }, 2), ending.byReason({ reason: 'length', usage: { completion_tokens: 5 } }), 3);
  talk = conversation.editAnswer(talk, 'r', { text: 'All clear.', newId: 'e', at: 4 });
  const session = { id: 's', title: 'What is it?', named: false, pinned: true, created: 1, changed: 4, revision: 3, chosen: talk.chosen, settings: { thinking: 'on', model: null } };
  return { session, messages: talk.all.map((turn, place) => messageOf(turn, { place, writer: 'tab', at: 4 })), images: new Map([['i', 'blob']]), talk };
}

async function backup(...all) {
  const parts = [];
  const read = async (id) => all.find((one) => one.session.id === id) ?? null;
  for await (const part of backupParts(all.map((one) => one.session.id), { read, base64Of: async () => 'QUJD', at: 0 })) parts.push(part);
  return parts.join('');
}

const restored = (text) => sessionsFrom(text, { newId, blobOf });
const problem = (text) => {
  try {
    restored(text);
    return null;
  } catch (error) {
    assert.ok(error instanceof NoBackup, error.stack);
    return error.code;
  }
};
const here = (one) => keptOf(one, (record) => ({ ...record, file: one.images.get(record.id) }), { tab: 'tab', at: 5 });

test('a backup restored is the same conversation with its images, versions and marks', async () => {
  const { talk, ...one } = records();
  const [back] = restored(await backup(one));
  const kept = here(back);
  assert.deepEqual(kept.conversation.turns.map((turn) => turn.text), ['What is it?', 'All clear.']);
  assert.equal(conversation.versionsOf(kept.conversation, kept.conversation.turns[1]).length, 2);
  assert.deepEqual([kept.conversation.turns[1].edited, kept.conversation.turns[1].ending.kind], [true, 'edited']);
  assert.equal(kept.conversation.all[1].ending.usage.completion_tokens, 5);
  assert.deepEqual({ ...kept.conversation.turns[0].images[0], id: 'i' }, { id: 'i', name: 'a.png', type: 'image/png', size: 3, label: 'prior', file: { base64: 'QUJD', type: 'image/png' } });
  assert.deepEqual([kept.session.title, kept.session.pinned, kept.settings.thinking], ['What is it?', true, 'on']);
  assert.ok(back.messages.every((message) => !talk.all.some((turn) => turn.id === message.id)), 'no id is taken from a file');
});

test('a file that is broken, foreign, newer or hostile is refused in whole', async () => {
  const good = JSON.parse(await backup(records()));
  const bent = (bend) => {
    const file = structuredClone(good);
    bend(file, file.sessions[0], file.sessions[0].messages);
    return problem(JSON.stringify(file));
  };
  assert.equal(problem('not json'), 'not_a_backup');
  assert.equal(problem('null'), 'not_a_backup');
  assert.equal(problem('{"format":"other","version":1,"sessions":[]}'), 'not_a_backup');
  assert.equal(bent((file) => { file.version = VERSION + 1; }), 'newer_backup');
  assert.equal(bent((file) => { file.version = 'x'; }), 'not_a_backup');
  const broken = [
    (file) => { file.sessions = {}; },
    (file) => { file.sessions.push(null); },
    (_, session) => { delete session.session; },
    (_, session) => { session.session.id = '../x'; },
    (_, session) => { session.session.changed = 'now'; },
    (_, session) => { session.images = {}; },
    (_, session) => { session.images.i = '<svg>'; },
    (_, __, messages) => { messages[0].role = 'system'; },
    (_, __, messages) => { messages[0].text = { toString: 1 }; },
    (_, __, messages) => { messages[0].images[0].type = 'image/svg+xml'; },
    (_, __, messages) => { messages[1].ending.kind = 'constructor'; },
    (_, __, messages) => { messages[0].parent = messages[1].branch; },
    (_, __, messages) => { messages[1].branch = messages[1].parent; messages[1].parent = messages[1].branch; },
    (_, __, messages) => { messages[1].id = messages[0].id; },
    (_, __, messages) => { messages[1].at = 1e99; },
  ];
  broken.forEach((bend, index) => assert.equal(bent(bend), 'broken_backup', `case ${index}`));
  assert.equal(bent((_, session) => { session.session.__extra = '<script>'; }), null);
});

test('what a file says beside what is known is left out', async () => {
  const text = (await backup(records())).replaceAll('"text":', '"__proto__":{"polluted":true},"onclick":"x","text":');
  const [back] = restored(text);
  assert.equal({}.polluted, undefined);
  assert.ok(back.messages.every((message) => !('onclick' in message) && !('polluted' in message)));
});

test('only an unfinished reply that another tab has just written counts as alive', () => {
  const growing = { phase: 'answering', writer: 'other', writtenAt: 1000 };
  assert.equal(growsElsewhere(growing, { tab: 'mine', at: 2000 }), true);
  assert.equal(growsElsewhere(growing, { tab: 'other', at: 2000 }), false, 'after a reload nobody follows it');
  assert.equal(growsElsewhere(growing, { tab: 'mine', at: 9000 }), false);
  assert.equal(growsElsewhere({ ...growing, phase: 'ended' }, { tab: 'mine', at: 1000 }), false);
});

function recording(archive = {}) {
  const writes = [];
  const store = new Store(initialState);
  const timers = [];
  const recorder = new Recorder({
    store, visit: { tab: 'tab' }, now: () => 7, onRemoved: (id) => writes.push({ taken: id }), onGone: (id) => writes.push({ gone: id }), onKept: () => {},
    clock: { setTimeout: (work) => timers.push(work), clearTimeout: () => { timers.length = 0; } },
    archive: { write: async (id, what) => { writes.push({ id, ...what }); return { id }; }, take: async () => {}, ...archive },
  });
  store.change(typed('Hello'));
  store.change(asked({ ids: ['q', 'r', 's'], at: 1, made: null }));
  return { store, recorder, writes, timers };
}
const token = (text) => received({ type: 'token', text }, 2);

test('each turn is written once, a growing one by the clock, and its end at once', async () => {
  const { store, recorder, writes, timers } = recording();
  await recorder.flush();
  assert.deepEqual(writes[0].messages.map((one) => [one.id, one.place]), [['q', 0], ['r', 1]]);
  assert.equal(writes[0].begins, true);
  assert.equal(writes[0].session.title, 'Hello');
  for (const text of ['a', 'b', 'c']) store.change(token(text));
  assert.equal(writes.length, 1, 'not every token is written');
  timers[0]();
  await recorder.flush();
  assert.deepEqual([writes[1].messages.map((one) => one.text), writes[1].messages[0].writer, writes[1].begins], [['abc'], 'tab', false]);
  store.change(ended(ending.byReason(null), 3));
  await recorder.flush();
  assert.deepEqual([writes[2].messages.length, writes[2].messages[0].ending.kind, writes[2].messages[0].writer], [1, 'finished', undefined]);
  await recorder.flush();
  assert.equal(writes.length, 3, 'nothing is written twice');
  store.change(turnRemoved('q'));
  await recorder.flush();
  assert.deepEqual(writes[3], { taken: 's' });
});

test('a write that fails is said, the chat goes on, and the next one takes it along', async () => {
  let full = true;
  const writes = [];
  const { store, recorder } = recording({
    write: async (id, what) => {
      if (full) throw Object.assign(new Error(), { name: 'QuotaExceededError' });
      writes.push(what);
      return { id };
    },
  });
  await recorder.flush();
  assert.equal(store.state.unkept.session.code, 'quota');
  store.change(token('a'));
  full = false;
  await recorder.flush();
  assert.equal(store.state.unkept.session, null);
  assert.deepEqual(writes[0].messages.map((one) => one.text), ['Hello', 'a']);
});

test('a session that was deleted elsewhere is not brought back by a late word', async () => {
  const { store, recorder, writes } = recording({ write: async () => { throw new Gone(); } });
  await recorder.flush();
  assert.deepEqual(writes[0], { gone: 's' });
  assert.equal(store.state.unkept.session, null);
});

function drafting(archive = {}) {
  const done = [];
  const timers = [];
  const store = new Store(initialState);
  const drafts = new Drafts({
    store, visit: { tab: 'tab' }, now: () => 7, restored: (one, blob) => ({ ...one, file: blob }),
    clock: { setTimeout: (work) => timers.push(work), clearTimeout: () => { timers.length = 0; } },
    archive: {
      keepDraft: async (draft, blobs) => { done.push({ draft, blobs }); }, dropDraft: async (tab) => { done.push({ dropped: tab }); },
      dropDrafts: async () => {}, draft: async () => null, ...archive,
    },
  });
  const settle = () => { timers[0]?.(); return drafts.flush(); };
  return { store, drafts, done, timers, settle };
}

test('what is typed is kept once for a pause, with its images, and goes when it is sent', async () => {
  const { store, done, settle } = drafting();
  ['H', 'He', 'Hey'].forEach((text) => store.change(typed(text)));
  store.change(imagesAdded([image]));
  await settle();
  const { file, preview, ...record } = image;
  assert.deepEqual(done[0], { draft: { tab: 'tab', session: null, text: 'Hey', images: [record], at: 7 }, blobs: [{ id: 'i', blob: file }] });
  store.change(asked({ ids: ['q', 'r', 's'], at: 1, made: null }));
  await settle();
  assert.deepEqual(done.at(-1), { dropped: 'tab' });
  const length = done.length;
  store.change(cleared());
  await settle();
  assert.equal(done.length, length, 'there was nothing more to take away');
});

test('a draft comes back with its images, and one that cannot be kept is said', async () => {
  const { drafts } = drafting({ draft: async () => ({ draft: { session: 's', text: 'Hey', images: [{ id: 'i' }] }, images: new Map([['i', 'blob']]) }) });
  assert.deepEqual(await drafts.read(), { session: 's', text: 'Hey', images: [{ id: 'i', file: 'blob' }] });
  let room = false;
  const full = drafting({ keepDraft: async () => { if (!room) throw Object.assign(new Error(), { name: 'QuotaExceededError' }); } });
  full.store.change(drafted({ text: 'x', images: [] }));
  await full.settle();
  assert.deepEqual([full.store.state.unkept.draft.code, full.store.state.unkept.session], ['quota', null]);
  room = true;
  await full.drafts.flush();
  assert.equal(troubleIn(full.store.state), null, 'nothing is said any more once it is kept');
});

test('after a wipe nothing that waited is written', async () => {
  const { store, drafts, done, timers } = drafting();
  store.change(typed('Mrs Smith'));
  drafts.forget();
  assert.equal(timers.length, 0);
  store.change(cleared());
  timers[0]?.();
  await drafts.flush();
  assert.deepEqual(done, []);
});

test('the browser is asked once to keep what is kept, where it can be asked', async () => {
  let asked = 0;
  const persistence = new Persistence(() => ({ persist: async () => { asked += 1; throw new Error('no'); } }));
  persistence.ask();
  persistence.ask();
  assert.equal(asked, 1);
  new Persistence(() => undefined).ask();
});

test('a title is made of the first line, cut between words', () => {
  assert.equal(titleOf('\n  What   is\tthis?\nMore'), 'What is this?');
  const long = titleOf('List the common causes of acute kidney injury, grouped as prerenal, renal and postrenal.');
  assert.equal(long, 'List the common causes of acute kidney injury, grouped as…');
});

test('sessions stand under the age that the calendar gives them', () => {
  const now = new Date(2026, 10, 22, 0, 30).getTime();
  const day = (month, date, hour = 12) => new Date(2026, month, date, hour).getTime();
  const sessions = [day(10, 22, 0), day(10, 21, 23), day(10, 17), day(10, 3), day(9, 31), day(8, 1)].map((changed, id) => ({ id, changed, pinned: id === 5 }));
  assert.deepEqual(groupsOf(sessions, now).map(({ kind, sessions: some }) => [kind, some.map((one) => one.id)]), [
    ['pinned', [5]], ['today', [0]], ['yesterday', [1]], ['week', [2]], ['month', [3]], ['month', [4]],
  ]);
});

test('an excerpt is read without its marks', () => {
  const sessions = [{ id: 'a', title: 'x' }];
  const text = '## Findings\n\n- **Left** lung: `5*10^9/L`, see [the note](https://a.example/b)\n\n| Test | Value |\n|---|---:|\n| Na | 140 |\n> 5 mm, *small*, a_b_c';
  const [{ excerpt: { before, match, after } }] = found('lung', sessions, [{ session: 'a', text }]);
  assert.equal(before + match + after, 'Findings Left lung: 5*10^9/L, see the note Test Valu…');
  assert.equal(plain('> 5 mm, *small*, a_b_c, 2*3*4 and __init__'), '> 5 mm, small, a_b_c, 2*3*4 and init');
  const [{ excerpt }] = found('##', sessions, [{ session: 'a', text }]);
  assert.equal(excerpt.match, '##');
});

test('the search knows no case and no accents, and wants every word', () => {
  const sessions = [{ id: 'a', title: 'Émphysème' }, { id: 'b', title: 'Other' }];
  const messages = [{ session: 'a', text: 'Größe 12 mm, İstanbul' }, { session: 'b', text: 'x'.repeat(100) + ' Pneumothorax left ' + 'y'.repeat(100) }];
  const ids = (query) => found(query, sessions, messages).map((one) => one.id);
  assert.deepEqual(ids('emphyseme'), ['a']);
  assert.deepEqual(ids('EMPHYSÈME grosse'), []);
  assert.deepEqual(ids('émphy größe'), ['a']);
  assert.deepEqual(ids('istanbul'), ['a']);
  assert.equal(found('  ', sessions, messages), null);
  const [{ excerpt }] = found('pneumothórax', sessions, messages);
  assert.equal(excerpt.match, 'Pneumothorax');
  assert.ok(excerpt.before.startsWith('…x') && excerpt.after.startsWith(' left y') && excerpt.after.endsWith('…'));
  assert.deepEqual(excerptOf('a😀İx', 'ix'), { before: 'a😀', match: 'İx', after: '' });
});
