/**
 * How a reply ended.
 */
import { count, oneDecimal, own } from './figures.js';

function usageLine({ usage, timings }) {
  const parts = [];
  if (Number.isFinite(usage?.completion_tokens)) parts.push(count(usage.completion_tokens, 'token'));
  if (Number.isFinite(timings?.tokens_per_second)) parts.push(`${oneDecimal.format(timings.tokens_per_second)} tokens/s`);
  return parts.join(', ');
}

const ENDINGS = {
  edited: () => ({ tone: 'quiet', title: 'Edited by you.', rest: 'The earlier version is kept beside it.' }),
  finished: (ending) => ({ tone: 'quiet', title: 'Finished.', rest: usageLine(ending) }),
  stopped: (_, reply) => ({
    tone: 'warn', title: 'Stopped by you.', rest: reply.text ? 'The answer is incomplete.' : 'The answer had not begun.',
  }),
  cut: (ending, reply) => ({ tone: 'warn', title: cutTitle(ending), rest: cutMeaning(reply) }),
  repetition: () => ({
    tone: 'warn', title: 'Stopped because the text repeated itself.', rest: 'The answer is incomplete. Read the last part with care.',
  }),
  cancelled: () => ({ tone: 'warn', title: 'Stopped by the server.', rest: 'The answer is incomplete.' }),
  other: ({ reason }) => ({ tone: 'warn', title: `Ended: ${reason}.`, rest: 'The answer may be incomplete.' }),
  failed: (ending) => ({ tone: 'bad', title: 'Failed.', rest: failureLine(ending), code: ending.code }),
  interrupted: (_, reply) => ({
    tone: 'warn',
    title: 'Interrupted.',
    rest: reply.text || reply.thinking
      ? 'The connection was lost before the answer ended. What had arrived is kept; the rest is missing.'
      : 'The connection was lost before an answer began.',
  }),
};

function cutTitle({ usage }) {
  const tokens = usage?.completion_tokens;
  return Number.isFinite(tokens) ? `Cut at ${count(tokens, 'token')}.` : 'Cut at the token limit.';
}

function cutMeaning(reply) {
  return reply.text
    ? 'The answer is incomplete.'
    : 'All of it was spent thinking, and no answer was written.';
}

const FAILURES = {
  unreadable_stream: 'A part of the answer could not be read, so the rest was not shown.',
};

export function failureLine({ sentence, code }) {
  return sentence ?? own(FAILURES, code) ?? 'The server gave no reason.';
}

/** How a reply ended: {tone, title, rest, code}. */
export function ending(reply) {
  const say = own(ENDINGS, reply.ending.kind) ?? ENDINGS.other;
  return { code: null, ...say(reply.ending, reply) };
}
