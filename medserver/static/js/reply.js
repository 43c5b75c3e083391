/**
 * Asks for one reply and follows it to its one ending; knows the wire of POST /api/chat, but neither the conversation nor the page.
 */
import * as ending from './ending.js';
import { eventReader } from './events.js';
import { readRefusal, unreachable } from './refusal.js';

// A server that is there says something every 15 seconds.
const LOOK_MS = 10_000;
const LOOKS = 4;
const OPENED = Object.freeze({ type: 'opened' });

/** Resolves to an ending. `onEvent` gets what arrives on the way. */
export async function followReply({ body, signal, onEvent, fetch, now }) {
  let response;
  try {
    response = await fetch('/api/chat', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
      body: JSON.stringify(body),
      cache: 'no-store',
      signal,
    });
  } catch {
    // fetch rejects only for an abort and for a network that gave no answer.
    return signal.aborted ? ending.byReader() : ending.byRefusal(unreachable());
  }
  if (!response.ok) return ending.byRefusal(await readRefusal(response, now()));
  onEvent(OPENED);
  return followStream(response.body.getReader(), signal, onEvent);
}

async function followStream(reader, signal, onEvent) {
  const heard = { finish: null, last: null };
  const read = eventReader((event) => hear(heard, event, onEvent));
  const decoder = new TextDecoder();
  const silence = hangUpWhenSilent(reader);
  while (!heard.last) {
    const chunk = await nextChunk(reader);
    if (!chunk) break;
    silence.broken();
    read(decoder.decode(chunk, { stream: true }));
  }
  silence.over();
  if (heard.last) {
    reader.cancel().catch(() => {});
    return heard.last;
  }
  if (signal.aborted) return ending.byReader();
  return heard.finish ? ending.byReason(heard.finish) : ending.bySilence();
}

/** Null when the stream is over, whether it was closed or lost: the frames say which of the two was meant. */
async function nextChunk(reader) {
  try {
    return (await reader.read()).value ?? null;
  } catch {
    return null;
  }
}

/** Counts looks, not time: a page that was asleep first reads what came meanwhile. */
function hangUpWhenSilent(reader) {
  let left = LOOKS;
  const looking = setInterval(() => {
    left -= 1;
    if (left === 0) reader.cancel().catch(() => {});
  }, LOOK_MS);
  return { broken: () => { left = LOOKS; }, over: () => clearInterval(looking) };
}

function hear(heard, event, onEvent) {
  if (heard.last) return;
  if (event.type === 'done') heard.last = ending.byReason(heard.finish);
  else if (event.type === 'error') heard.last = ending.byFailure(event);
  else if (event.type === 'unreadable') heard.last = ending.byFailure({ sentence: null, code: 'unreadable_stream' });
  else if (event.type === 'finish') heard.finish = event;
  else onEvent(event);
}
