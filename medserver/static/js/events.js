/**
 * Turns the characters of an event stream into events of a reply; knows no fetch, no state and no words.
 *
 * Events: {type: token|thinking, text}, {type: queue, ahead}, {type: error, sentence, code}, {type: finish, reason, usage, timings},
 * {type: done}, {type: unreadable}. Frames this version does not know are passed over, so that a server may say more.
 */
import { createParser } from '../vendor/eventsource-parser/index.js';

/** A function to feed with decoded text; `onEvent` gets each event in order. */
export function eventReader(onEvent) {
  const parser = createParser({
    onEvent({ data }) {
      const event = eventOf(data);
      if (event) onEvent(event);
    },
  });
  return (text) => parser.feed(text);
}

export function eventOf(data) {
  if (data === '[DONE]') return { type: 'done' };
  let frame;
  try {
    frame = JSON.parse(data);
  } catch {
    return { type: 'unreadable' };
  }
  const kind = Object.keys(KINDS).find((name) => Object.hasOwn(Object(frame), name));
  return kind ? KINDS[kind](frame) : null;
}

const KINDS = {
  error: (frame) => ({ type: 'error', sentence: String(frame.error), code: frame.code ?? null }),
  finish_reason: (frame) => ({
    type: 'finish', reason: frame.finish_reason, usage: frame.usage ?? null, timings: frame.timings ?? null,
  }),
  token: (frame) => ({ type: 'token', text: String(frame.token ?? '') }),
  thinking: (frame) => ({ type: 'thinking', text: String(frame.thinking ?? '') }),
  queue: (frame) => ({ type: 'queue', ahead: Number(frame.queue) }),
};
