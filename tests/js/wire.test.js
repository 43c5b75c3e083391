import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventOf, eventReader } from '../../medserver/static/js/events.js';
import { followReply } from '../../medserver/static/js/reply.js';
import { readRefusal, retryTime } from '../../medserver/static/js/refusal.js';
import { chatRequest, imagesIn } from '../../medserver/static/js/request.js';

const frame = (value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

test('each frame of the contract becomes one event', () => {
  assert.deepEqual(eventOf('{"token": "a"}'), { type: 'token', text: 'a' });
  assert.deepEqual(eventOf('{"thinking": "t"}'), { type: 'thinking', text: 't' });
  assert.deepEqual(eventOf('{"queue": 2}'), { type: 'queue', ahead: 2 });
  assert.deepEqual(eventOf('{"error": "Lost.", "code": "engine_lost"}'), { type: 'error', sentence: 'Lost.', code: 'engine_lost' });
  assert.deepEqual(
    eventOf('{"finish_reason": "length", "usage": {"completion_tokens": 3}}'),
    { type: 'finish', reason: 'length', usage: { completion_tokens: 3 }, timings: null },
  );
  assert.deepEqual(eventOf('[DONE]'), { type: 'done' });
});

test('what is not known is passed over, what cannot be read is said', () => {
  assert.equal(eventOf('{"citation": 1}'), null);
  assert.equal(eventOf('null'), null);
  assert.deepEqual(eventOf('{"token": "a'), { type: 'unreadable' });
});

test('events come out the same however the stream is cut', () => {
  const stream = `: hello\n\n${frame({ token: 'µ' })}: keep-alive\n\n${frame({ token: '\n\ndata: x' })}${frame('[DONE]')}`;
  const whole = [];
  eventReader((event) => whole.push(event))(stream);
  assert.deepEqual(whole.map((event) => event.type), ['token', 'token', 'done']);
  for (let size = 1; size < 12; size += 1) {
    const events = [];
    const read = eventReader((event) => events.push(event));
    for (let at = 0; at < stream.length; at += size) read(stream.slice(at, at + size));
    assert.deepEqual(events, whole);
  }
});

const answering = (chunks, { status = 200, headers = {} } = {}) => async (url, request) => {
  answering.asked = { url, request };
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) return controller.close();
      if (chunk instanceof Error) return controller.error(chunk);
      return controller.enqueue(chunk instanceof Uint8Array ? chunk : encoder.encode(chunk));
    },
  });
  return new Response(body, { status, headers });
};

async function follow(fetch, signal = new AbortController().signal) {
  const events = [];
  const ending = await followReply({ body: { messages: [] }, signal, onEvent: (event) => events.push(event), fetch, now: () => 1000 });
  return { ending, events };
}

test('a stream that says nothing any more, not even that it is there, was lost', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let hungUp = false;
  let say;
  const body = new ReadableStream({
    start(controller) { say = (text) => controller.enqueue(new TextEncoder().encode(text)); },
    cancel() { hungUp = true; },
  });
  const heard = (count) => new Promise((done) => {
    const look = () => (events.length >= count ? done() : setImmediate(look));
    look();
  });
  const events = [];
  const following = followReply({
    body: {}, signal: new AbortController().signal, onEvent: (event) => events.push(event), fetch: async () => new Response(body), now: () => 1000,
  });
  say(frame({ token: 'a' }));
  await heard(2);
  t.mock.timers.tick(39_000);
  say(`: still here\n\n${frame({ token: 'b' })}`);
  await heard(3);
  t.mock.timers.tick(30_000);
  assert.equal(hungUp, false);
  t.mock.timers.tick(10_000);
  assert.equal((await following).kind, 'interrupted');
  assert.equal(hungUp, true);
});

test('a reply is followed to its finish', async () => {
  const finish = { finish_reason: 'stop', usage: { completion_tokens: 2 }, timings: { tokens_per_second: 9 } };
  const { ending, events } = await follow(answering([frame({ token: 'a' }), frame({ token: 'b' }), frame(finish), frame('[DONE]')]));
  assert.deepEqual(events.map((event) => event.text ?? event.type), ['opened', 'a', 'b']);
  assert.equal(ending.kind, 'finished');
  assert.equal(ending.usage.completion_tokens, 2);
  assert.equal(answering.asked.url, '/api/chat');
  assert.equal(answering.asked.request.method, 'POST');
});

test('each ending is told from the others', async () => {
  const kind = async (...chunks) => (await follow(answering(chunks))).ending.kind;
  assert.equal(await kind(frame({ token: 'a' }), frame('[DONE]')), 'finished');
  assert.equal(await kind(frame({ finish_reason: 'length' }), frame('[DONE]')), 'cut');
  assert.equal(await kind(frame({ finish_reason: 'repetition' }), frame('[DONE]')), 'repetition');
  assert.equal(await kind(frame({ finish_reason: 'cancelled' }), frame('[DONE]')), 'cancelled');
  assert.equal(await kind(frame({ finish_reason: 'content_filter' }), frame('[DONE]')), 'other');
  assert.equal(await kind(frame({ error: 'Lost.', code: 'engine_lost' }), frame('[DONE]')), 'failed');
  assert.equal(await kind(frame({ token: 'a' }), 'data: {"token": "b'), 'interrupted');
  assert.equal(await kind(frame({ token: 'a' }), new Error('reset')), 'interrupted');
  assert.equal(await kind(), 'interrupted');
  assert.equal(await kind(frame('{broken')), 'failed');
});

test('a letter cut in two by the network arrives whole', async () => {
  const bytes = new TextEncoder().encode(frame({ token: 'µg 体' }));
  const chunks = [...bytes].map((byte) => Uint8Array.of(byte));
  const { events } = await follow(answering([...chunks, frame('[DONE]')]));
  assert.equal(events.at(-1).text, 'µg 体');
});

test('nothing after an error is heard', async () => {
  const { events } = await follow(answering([frame({ error: 'x', code: 'y' }) + frame({ token: 'late' })]));
  assert.deepEqual(events.map((event) => event.type), ['opened']);
});

test('a stop by the reader is no failure, before and during the answer', async () => {
  const before = new AbortController();
  before.abort();
  const refusing = async () => { throw new DOMException('aborted', 'AbortError'); };
  assert.equal((await follow(refusing, before.signal)).ending.kind, 'stopped');
  const during = new AbortController();
  const chunks = [frame({ token: 'a' }), new DOMException('aborted', 'AbortError')];
  const following = follow(answering(chunks), during.signal);
  during.abort();
  assert.equal((await following).ending.kind, 'stopped');
});

test('no network is a refusal of its own', async () => {
  const { ending } = await follow(async () => { throw new TypeError('Failed to fetch'); });
  assert.equal(ending.kind, 'refused');
  assert.equal(ending.refusal.code, 'unreachable');
});

test('a refusal keeps the sentence, the code and when to come back', async () => {
  const response = new Response('{"detail": "Too many.", "code": "rate_limited"}', { status: 429, headers: { 'Retry-After': '12' } });
  assert.deepEqual(await readRefusal(response, 1000), {
    status: 429, code: 'rate_limited', sentence: 'Too many.', retryAt: 13000, requestId: null,
  });
  const proxy = await readRefusal(new Response('<html>', { status: 502, headers: { 'X-Request-ID': 'r1' } }), 0);
  assert.deepEqual([proxy.code, proxy.sentence, proxy.requestId], [null, null, 'r1']);
});

test('Retry-After is seconds or a date', () => {
  assert.equal(retryTime('Thu, 01 Jan 1970 00:01:00 GMT', 0), 60000);
  assert.equal(retryTime('soon', 0), null);
  assert.equal(retryTime(null, 0), null);
});

test('the request carries every turn, images with theirs, and no thought', () => {
  const image = (id) => ({ id });
  const turns = [
    { role: 'user', text: 'Compare', images: [image(1), image(2)] },
    { role: 'assistant', text: 'Same', thinking: 'secret' },
    { role: 'user', text: 'Sure?', images: [] },
    { role: 'assistant', text: '', thinking: 'half' },
  ];
  assert.equal(chatRequest(turns, { settings: { thinking: 'on', model: 'b' }, addressOf: String }).model, 'b');
  assert.deepEqual(chatRequest(turns, { settings: { thinking: 'on', model: null }, addressOf: ({ id }) => `data:${id}` }), {
    messages: [
      { role: 'user', content: 'Compare', image_data: ['data:1', 'data:2'] },
      { role: 'assistant', content: 'Same' },
      { role: 'user', content: 'Sure?' },
    ],
    thinking: 'on',
    stream: true,
  });
  assert.deepEqual(imagesIn(turns).map(({ id }) => id), [1, 2]);
});
