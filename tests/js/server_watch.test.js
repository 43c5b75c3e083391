import assert from 'node:assert/strict';
import { paced, paceOf, unknownPace } from '../../medserver/static/js/pace.js';
import { test } from 'node:test';
import * as ending from '../../medserver/static/js/ending.js';
import { oncePerFrame } from '../../medserver/static/js/frame.js';
import { HealthWatch, pauseAfter } from '../../medserver/static/js/health.js';
import { milestone } from '../../medserver/static/js/milestones.js';
import { standingOf } from '../../medserver/static/js/standing.js';
import * as state from '../../medserver/static/js/state.js';

function setUp(answer) {
  const clock = { waiting: [], setTimeout: (work, after) => clock.waiting.push({ work, after }), clearTimeout: (timer) => { delete clock.waiting[timer - 1]; } };
  const page = new EventTarget();
  page.hidden = false;
  const heard = [];
  const watch = new HealthWatch({
    fetch: async (...request) => answer(...request), clock, page, onHealth: (health) => heard.push(health.status), onLost: () => heard.push('lost'),
  });
  const pending = () => clock.waiting.filter(Boolean);
  return { watch, page, heard, pending };
}

const json = (value) => ({ json: async () => value });

test('the watch is quick while loading, slow when ready, patient when nobody answers', () => {
  assert.equal(pauseAfter({ status: 'loading' }), 1000);
  assert.equal(pauseAfter({ status: 'ready' }), 10000);
  assert.equal(pauseAfter({ status: 'error', engine: { state: 'failed' } }), 1000);
  assert.equal(pauseAfter({ status: 'degraded', engine: { state: 'ready' } }), 10000);
  assert.equal(pauseAfter(null), 3000);
});

test('it asks, tells, and asks again', async () => {
  const { watch, heard, pending } = setUp(() => json({ status: 'loading' }));
  await watch.start();
  assert.deepEqual(heard, ['loading']);
  assert.deepEqual(pending().map(({ after }) => after), [1000]);
  await pending()[0].work();
  assert.deepEqual(heard, ['loading', 'loading']);
  assert.equal(pending().length, 1);
});

test('after trouble it asks at once and soon once more, then calmly again', async () => {
  const { watch, heard, pending } = setUp(() => json({ status: 'ready' }));
  await watch.start();
  await watch.lookCloser();
  assert.deepEqual(heard, ['ready', 'ready']);
  assert.deepEqual(pending().map(({ after }) => after), [1000]);
  await pending()[0].work();
  assert.deepEqual(pending().at(-1).after, 10000);
});

test('an answer that is none counts as lost', async () => {
  const { watch, heard } = setUp(() => { throw new TypeError('offline'); });
  await watch.start();
  const other = setUp(() => json('<html>'));
  await other.watch.start();
  assert.deepEqual([heard, other.heard], [['lost'], ['lost']]);
});

test('a hidden tab asks nothing and asks at once when it is looked at again', async () => {
  const { watch, page, heard, pending } = setUp(() => json({ status: 'ready' }));
  await watch.start();
  page.hidden = true;
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(pending().length, 0);
  page.hidden = false;
  page.dispatchEvent(new Event('visibilitychange'));
  await new Promise((resolve) => { setTimeout(resolve); });
  assert.deepEqual(heard, ['ready', 'ready']);
});

test('the standing is one noun', () => {
  const kind = (health, link = 'up') => standingOf({ health, link }).kind;
  assert.equal(kind(null, 'connecting'), 'connecting');
  assert.equal(kind({ status: 'ready' }, 'down'), 'unreachable');
  assert.equal(kind({ status: 'ready', engine: { state: 'ready' } }), 'ready');
  assert.equal(kind({ status: 'degraded', engine: { state: 'restarting' } }), 'restarting');
  assert.equal(kind({ status: 'degraded', engine: { state: 'ready' } }), 'degraded');
  assert.equal(kind({ status: 'error', engine: { state: 'failed' } }), 'failed');
});

test('progress is known or honestly unknown', () => {
  const progress = (loading) => standingOf({ health: { status: 'loading', loading }, link: 'up' }).progress;
  assert.deepEqual(progress({ stage: 'weights', done: 3, total: 10, pace: null }), { stage: 'weights', done: 3, total: 10, pace: null });
  assert.deepEqual(progress({ stage: 'weights', done: 0, total: null, pace: null }), { stage: 'weights', done: null, total: null, pace: null });
  assert.deepEqual(progress(null), { stage: null, done: null, total: null, pace: null });
});

test('only moments are announced, not tokens', () => {
  const steps = [
    state.typed('x'), state.asked({ ids: ['q', 'r', 's'], at: 0, made: null }), state.received({ type: 'opened' }, 0), state.received({ type: 'queue', ahead: 1 }, 0),
    state.received({ type: 'thinking', text: 'a' }, 0), state.received({ type: 'thinking', text: 'b' }, 0), state.received({ type: 'token', text: 'c' }, 0),
    state.received({ type: 'token', text: 'd' }, 0), state.ended(ending.byReason(null), 0),
  ];
  let now = state.initialState;
  const said = steps.map((step) => {
    const before = now;
    now = step(now);
    const passed = milestone(before, now);
    return passed && (passed.kind === 'phase' ? passed.reply.phase : passed.kind);
  });
  assert.deepEqual(said, [null, 'sending', 'waiting', 'waiting', 'thinking', null, 'answering', null, 'ended']);
});

test('a poll that changes nothing is not announced, a changed standing is', () => {
  const loading = state.heard({ status: 'loading' })(state.initialState);
  assert.equal(milestone(loading, state.heard({ status: 'loading', loading: { done: 2 } })(loading)), null);
  assert.equal(milestone(loading, state.heard({ status: 'ready' })(loading)).standing.kind, 'ready');
});

test('work is done once per frame', () => {
  const frames = [];
  let done = 0;
  const soon = oncePerFrame(() => { done += 1; }, (work) => frames.push(work));
  soon();
  soon();
  frames.splice(0).forEach((work) => work());
  assert.equal(done, 1);
  soon();
  assert.equal(frames.length, 1);
});

test('the time left is told from the last twenty seconds, and not before it can be', () => {
  const at = (seconds, done, stage = 'download') => (pace) => paced(pace, { stage, done, total: 1000 }, seconds * 1000);
  const after = (...marks) => paceOf(marks.reduce((pace, mark) => mark(pace), unknownPace));
  assert.equal(after(at(0, 0)), null);
  assert.equal(after(at(0, 0), at(1, 100)), null, 'one second says little');
  assert.deepEqual(after(at(0, 0), at(5, 100)), { speed: 20, left: 45 });
  assert.deepEqual(after(at(0, 0), at(5, 0), at(25, 200)), { speed: 10, left: 80 }, 'what was long ago counts no more');
  assert.equal(after(at(0, 500), at(5, 500)), null, 'what stands still has no end');
  assert.equal(after(at(0, 0), at(5, 100), at(6, 100, 'weights')), null, 'another stage begins anew');
  assert.equal(after(at(0, 0), (pace) => paced(pace, { stage: 'starting', done: null, total: null }, 9000)), null);
});
