import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ending from '../../medserver/static/js/ending.js';
import { letGoOfImages } from '../../medserver/static/js/held_images.js';
import { sortFiles, typeOf } from '../../medserver/static/js/image_file.js';
import { Session } from '../../medserver/static/js/session.js';
import { heard, initialState } from '../../medserver/static/js/state.js';
import { Store } from '../../medserver/static/js/store.js';

const file = (name, size = 3) => ({ name, size, type: '' });

function setUp(follow, health = { status: 'ready', supports_images: true }) {
  const seen = { ids: 0, forgotten: [], bodies: [], trouble: 0 };
  const store = new Store(initialState);
  store.change(heard(health));
  const session = new Session({
    store,
    now: () => 0,
    newId: () => String(seen.ids += 1),
    filesOf: async ({ images }) => images.map((address) => {
      if (address === '/samples/gone.png') throw new Error('404');
      return file(address.slice(9));
    }),
    onTrouble: () => { seen.trouble += 1; },
    follow: (request) => {
      seen.bodies.push(request.body);
      return follow(request);
    },
    images: {
      sortFiles,
      imageOf: (one, id) => ({ id, name: one.name, size: one.size, preview: `blob:${id}` }),
      dataAddress: async (image) => {
        if (image.name === 'gone.png') throw new Error('gone');
        return `data:${image.name}`;
      },
    },
  });
  letGoOfImages(store, (image) => seen.forgotten.push(image.name));
  return { store, session, seen };
}

const finishing = async ({ onEvent }) => {
  onEvent({ type: 'opened' });
  onEvent({ type: 'token', text: 'Answer' });
  return ending.byReason(null);
};

test('sending carries text and images in order and ends with the reply', async () => {
  const { store, session, seen } = setUp(finishing);
  session.addFiles([file('a.png'), file('b.jpg')]);
  session.type('Compare');
  await session.send();
  assert.deepEqual(seen.bodies[0].messages, [{ role: 'user', content: 'Compare', image_data: ['data:a.png', 'data:b.jpg'] }]);
  assert.equal(store.state.turns[1].text, 'Answer');
  assert.equal(store.state.turns[1].ending.kind, 'finished');
  assert.equal(store.state.draft.text, '');
});

test('the second question carries the first and its answer', async () => {
  const { session, seen } = setUp(finishing);
  for (const text of ['One', 'Two']) {
    session.type(text);
    await session.send();
  }
  assert.deepEqual(seen.bodies[1].messages.map((message) => message.content), ['One', 'Answer', 'Two']);
});

test('a refusal hands everything back and says why', async () => {
  const { store, session, seen } = setUp(async () => ending.byRefusal({ status: 0, code: 'unreachable' }));
  session.addFiles([file('a.png')]);
  session.type('Keep me');
  await session.send();
  assert.deepEqual([store.state.draft.text, store.state.draft.images[0].name, store.state.turns.length], ['Keep me', 'a.png', 0]);
  assert.equal(store.state.notice.code, 'unreachable');
  assert.equal(seen.trouble, 1);
  assert.deepEqual(seen.forgotten, []);
});

test('the server is looked at where it may not be as it was, and not where it only said no', async () => {
  const refused = (status, code) => ending.byRefusal({ status, code });
  const verdicts = [refused(503, 'engine_down'), ending.bySilence(), refused(429, 'rate_limited'), ending.byReason(null), ending.byReader()];
  const trouble = await Promise.all(verdicts.map(async (verdict) => {
    const { session, seen } = setUp(async () => verdict);
    session.type('x');
    await session.send();
    return seen.trouble;
  }));
  assert.deepEqual(trouble, [1, 1, 0, 0, 0]);
});

test('an image that is gone is a refusal, and nothing is asked', async () => {
  const { store, session, seen } = setUp(finishing);
  session.addFiles([file('gone.png')]);
  session.type('x');
  await session.send();
  assert.equal(store.state.notice.code, 'unreadable_image');
  assert.equal(store.state.draft.images.length, 1);
  assert.equal(seen.bodies.length, 0);
});

test('a failure before any word hands back too, one after it is an ending', async () => {
  const failure = ending.byFailure({ sentence: 'Lost.', code: 'engine_lost' });
  const early = setUp(async () => failure);
  early.session.type('x');
  await early.session.send();
  assert.deepEqual([early.store.state.draft.text, early.store.state.notice.sentence], ['x', 'Lost.']);
  const late = setUp(async ({ onEvent }) => {
    onEvent({ type: 'token', text: 'Half' });
    return failure;
  });
  late.session.type('x');
  await late.session.send();
  assert.equal(late.store.state.turns[1].ending.kind, 'failed');
  assert.deepEqual([early.seen.trouble, late.seen.trouble], [1, 1]);
  assert.equal(late.store.state.turns[1].text, 'Half');
});

test('what stands in the way is said and nothing is sent', async () => {
  const notice = async (prepare, health) => {
    const { store, session, seen } = setUp(finishing, health);
    prepare(session);
    await session.send();
    assert.equal(seen.bodies.length, 0);
    return store.state.notice?.code ?? null;
  };
  assert.equal(await notice((session) => session.type('  \n')), null);
  assert.equal(await notice((session) => session.addFiles([file('a.png')])), 'no_text');
  assert.equal(await notice((session) => session.type('x'), { status: 'loading' }), 'loading');
  assert.equal(await notice((session) => session.type('xxx'), { status: 'ready', max_text_length: 2 }), 'text_too_long');
});

test('a second send waits for the first reply', async () => {
  let release;
  const { store, session, seen } = setUp(() => new Promise((resolve) => { release = resolve; }));
  session.type('One');
  const first = session.send();
  session.type('Two');
  await session.send();
  assert.equal(store.state.notice.code, 'already_replying');
  assert.equal(store.state.draft.text, 'Two');
  assert.equal(seen.bodies.length, 1);
  release(ending.byReason(null));
  await first;
  assert.equal(store.state.notice, null);
});

const untilStopped = ({ signal, onEvent }) => new Promise((resolve) => {
  onEvent({ type: 'token', text: 'Half' });
  signal.addEventListener('abort', () => resolve(ending.byReader()));
});

test('stop ends the reply and keeps what had arrived', async () => {
  const { store, session } = setUp(untilStopped);
  session.type('x');
  const sent = session.send();
  await new Promise((resolve) => { setTimeout(resolve); });
  session.stop();
  await sent;
  assert.deepEqual([store.state.turns[1].text, store.state.turns[1].ending.kind], ['Half', 'stopped']);
});

test('a new session leaves nothing behind, not even a late token', async () => {
  let late;
  const { store, session, seen } = setUp((request) => {
    late = () => request.onEvent({ type: 'token', text: 'late' });
    return untilStopped(request);
  });
  session.addFiles([file('a.png')]);
  session.type('x');
  const sent = session.send();
  await new Promise((resolve) => { setTimeout(resolve); });
  session.addFiles([file('b.png')]);
  session.startNew();
  late();
  await sent;
  assert.deepEqual([store.state.turns.length, store.state.draft.images.length, store.state.notice], [0, 0, null]);
  assert.deepEqual(seen.forgotten.toSorted(), ['a.png', 'b.png']);
});

const saying = (...texts) => async ({ onEvent }) => {
  onEvent({ type: 'token', text: texts.shift() });
  return ending.byReason({ reason: texts.length > 0 ? 'length' : 'stop' });
};

async function sent(session, text) {
  session.type(text);
  await session.send();
}

test('regenerating asks the same question again and keeps the earlier answer', async () => {
  const { store, session, seen } = setUp(saying('Try 1', 'Try 2'));
  await sent(session, 'x');
  await session.regenerate(store.state.turns[1].id);
  assert.deepEqual(seen.bodies[1], seen.bodies[0]);
  assert.deepEqual([store.state.turns.length, store.state.turns[1].text, store.state.conversation.all.length], [2, 'Try 2', 3]);
  session.chooseVersion(store.state.conversation.all[1].id);
  assert.equal(store.state.turns[1].text, 'Try 1');
});

test('a cut answer goes on in the same turn: the server is given what stands there', async () => {
  const { store, session, seen } = setUp(saying('One, two, ', ' three.'));
  await sent(session, 'Count');
  await session.continueAnswer();
  assert.deepEqual(seen.bodies[1].messages.at(-1), { role: 'assistant', content: 'One, two,' });
  assert.deepEqual([store.state.turns.length, store.state.turns[1].text, store.state.turns[1].ending.kind], [2, 'One, two, three.', 'finished']);
  await session.continueAnswer();
  assert.equal(seen.bodies.length, 2, 'a finished one does not go on');
});

test('an answer that ran in circles goes on from its first round, beside the earlier version', async () => {
  const replies = [['No effusion. '.repeat(20), 'repetition'], ['The heart is normal.', 'stop']];
  const { store, session, seen } = setUp(async ({ onEvent }) => {
    const [text, reason] = replies.shift();
    onEvent({ type: 'token', text });
    return ending.byReason({ reason });
  });
  await sent(session, 'x');
  await session.continueAnswer();
  assert.deepEqual(seen.bodies[1].messages.at(-1), { role: 'assistant', content: 'No effusion.' });
  assert.deepEqual(store.state.turns[1].text, 'No effusion.The heart is normal.');
  assert.equal(store.state.conversation.all.length, 3);
});

test('answer now asks again with thinking off', async () => {
  const { store, session, seen } = setUp(async ({ onEvent }) => {
    onEvent({ type: 'thinking', text: 'Hm' });
    return ending.byReason({ reason: 'length' });
  });
  await sent(session, 'x');
  await session.answerNow(store.state.turns[1].id);
  assert.deepEqual(seen.bodies.map((body) => body.thinking), ['auto', 'off']);
  assert.equal(store.state.settings.thinking, 'auto', 'what is chosen stays chosen');
  assert.equal(store.state.turns[1].made.parameters.thinking, 'off');
});

test('an edited question is asked from there, and what is sent is what is seen', async () => {
  const { store, session, seen } = setUp(finishing);
  for (const text of ['One', 'Two']) await sent(session, text);
  session.edit(store.state.turns[0].id);
  session.retype('Uno');
  await session.finishEdit();
  assert.deepEqual(seen.bodies[2].messages, [{ role: 'user', content: 'Uno' }]);
  assert.deepEqual(store.state.turns.map((turn) => turn.text), ['Uno', 'Answer']);
  session.edit(store.state.turns[1].id);
  session.retype('My words');
  await session.finishEdit();
  assert.equal(seen.bodies.length, 3, 'an edited answer asks nothing');
  await sent(session, 'Next');
  assert.deepEqual(seen.bodies[3].messages.map((one) => one.content), ['Uno', 'My words', 'Next']);
});

test('what was not begun leaves the conversation and what was typed as they were', async () => {
  const verdicts = [ending.byReason(null), ending.byRefusal({ status: 429, code: 'rate_limited' }), ending.byFailure({ sentence: 'Lost.', code: 'x' })];
  const { store, session } = setUp(async ({ onEvent }) => {
    if (verdicts.length === 3) onEvent({ type: 'token', text: 'Answer' });
    return verdicts.shift();
  });
  await sent(session, 'One');
  const before = store.state.conversation;
  session.edit(store.state.turns[0].id);
  session.retype('Uno');
  await session.finishEdit();
  assert.equal(store.state.conversation, before);
  assert.deepEqual([store.state.editing.text, store.state.notice.code], ['Uno', 'rate_limited']);
  session.cancelEdit();
  await session.regenerate(store.state.turns[1].id);
  assert.equal(store.state.conversation, before);
  assert.equal(store.state.notice.sentence, 'Lost.');
});

test('a deleted message can be brought back with its images until something else is done', async () => {
  const { store, session, seen } = setUp(finishing);
  session.addFiles([file('a.png')]);
  await sent(session, 'x');
  const before = store.state.conversation;
  session.remove(store.state.turns[0].id);
  assert.deepEqual([store.state.turns.length, seen.forgotten], [0, []]);
  session.undo();
  assert.equal(store.state.conversation, before);
  session.remove(store.state.turns[0].id);
  await sent(session, 'Next');
  assert.deepEqual([store.state.undo, seen.forgotten], [null, ['a.png']]);
});

test('nothing is changed under a reply that is arriving', async () => {
  const { store, session } = setUp(untilStopped);
  session.type('x');
  const done = session.send();
  await new Promise((resolve) => { setTimeout(resolve); });
  const { conversation } = store.state;
  session.remove(store.state.turns[0].id);
  await session.regenerate(store.state.turns[1].id);
  assert.equal(store.state.conversation, conversation);
  assert.equal(store.state.notice.code, 'already_replying');
  session.stop();
  await done;
});

test('only what the server can decode is taken, and the rest is named', () => {
  const { store, session } = setUp(finishing);
  session.addFiles([file('a.PNG'), file('scan.dcm'), { name: 'x', size: 1, type: 'image/webp' }, { name: 'b.png', size: 1, type: 'image/gif' }]);
  assert.equal(store.state.draft.images.length, 2);
  assert.deepEqual(store.state.notice.names, ['scan.dcm', 'b.png']);
  assert.equal(typeOf(file('a.jpeg')), 'image/jpeg');
});

test('a removed image is forgotten, one that is labelled is not', () => {
  const { store, session, seen } = setUp(finishing);
  session.addFiles([file('a.png'), file('b.png')]);
  session.labelImage(store.state.draft.images[1].id, 'prior');
  assert.deepEqual(seen.forgotten, []);
  session.removeImage(store.state.draft.images[0].id);
  assert.deepEqual([store.state.draft.images[0].name, seen.forgotten], ['b.png', ['a.png']]);
});

test('a sample takes the place of the draft, which can be brought back; one that cannot be had leaves the draft alone', async () => {
  const { store, session, seen } = setUp(finishing);
  session.type('Mine');
  session.addFiles([file('mine.png')]);
  await session.trySample({ text: 'What changed?', images: ['/samples/gone.png'] });
  assert.deepEqual([store.state.draft.text, store.state.notice.code], ['Mine', 'no_sample']);
  await session.trySample({ text: 'What changed?', images: ['/samples/a.png', '/samples/b.png'] });
  assert.equal(store.state.draft.text, 'What changed?');
  assert.deepEqual(store.state.draft.images.map((image) => image.name), ['a.png', 'b.png']);
  assert.equal(store.state.notice, null);
  session.undo();
  assert.deepEqual([store.state.draft.text, store.state.draft.images[0].name], ['Mine', 'mine.png']);
  assert.deepEqual(seen.forgotten, ['a.png', 'b.png']);
  await session.trySample({ text: 'Describe', images: [] });
  session.dismissUndo();
  assert.equal(seen.forgotten.at(-1), 'mine.png');
});
