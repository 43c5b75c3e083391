import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Visit } from '../../medserver/static/js/storage/visit.js';

/** As sessionStorage; a tab that is duplicated begins with a copy of it. */
function memory(before = {}) {
  const held = new Map(Object.entries(before));
  return {
    held,
    getItem: (name) => held.get(name) ?? null,
    setItem: (name, value) => { held.set(name, value); },
    removeItem: (name) => { held.delete(name); },
    copy: () => memory(Object.fromEntries(held)),
  };
}

/** A channel that brings every word to everybody but who said it. */
function channel() {
  const all = [];
  return () => {
    const mine = [];
    all.push(mine);
    return {
      listen: (onWord) => { mine.push(onWord); },
      tell: (kind, id = null) => all.filter((one) => one !== mine).flat().forEach((onWord) => onWord({ kind, id })),
    };
  };
}

function browser() {
  const [join, timers] = [channel(), []];
  let made = 0;
  const clock = { setTimeout: (work) => timers.push(work) };
  const comes = (storage) => {
    const visit = new Visit(() => storage, () => `tab ${made += 1}`);
    return { visit, named: visit.claim(join(), clock) };
  };
  return { comes, nobodyAnswers: () => timers.splice(0).forEach((work) => work()) };
}

test('a page that is loaded again goes by the name it had, and shows what it showed', async () => {
  const { comes } = browser();
  const storage = memory();
  const { visit } = comes(storage);
  visit.session = 's';
  visit.leave();
  const { visit: again, named } = comes(storage);
  await named;
  assert.deepEqual([again.tab, again.session], [visit.tab, 's']);
});

test('a tab that was duplicated goes by a name of its own, also after both were loaded again', async () => {
  const { comes } = browser();
  const first = memory();
  const { visit } = comes(first);
  const copy = first.copy();
  const { visit: twin, named } = comes(copy);
  await named;
  assert.notEqual(twin.tab, visit.tab);
  visit.leave();
  twin.leave();
  assert.deepEqual([comes(first).visit.tab, comes(copy).visit.tab], [visit.tab, twin.tab]);
});

test('after a crash the name comes back once nobody else answers to it', async () => {
  const { comes, nobodyAnswers } = browser();
  const left = memory({ tab: 'tab before', 'tab-in-use': 'yes' });
  const { visit, named } = comes(left);
  assert.notEqual(visit.tab, 'tab before');
  nobodyAnswers();
  await named;
  assert.equal(visit.tab, 'tab before');
  assert.equal(left.getItem('tab'), 'tab before');
});

test('a wipe while the name is still asked for leaves nothing of it', async () => {
  const { comes, nobodyAnswers } = browser();
  const left = memory({ tab: 'tab before', 'tab-in-use': 'yes', 'open-session': 's' });
  const { visit, named } = comes(left);
  visit.forget();
  nobodyAnswers();
  await named;
  assert.deepEqual([left.held.size, visit.session], [0, null]);
});

test('where nothing may be remembered a page still has a name', async () => {
  const { comes } = browser();
  const { visit, named } = comes({ getItem: () => { throw new Error('forbidden'); }, setItem: () => { throw new Error('forbidden'); } });
  await named;
  assert.equal(visit.tab, 'tab 1');
});
