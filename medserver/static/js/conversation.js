/**
 * The turns of one conversation and how they grow; knows neither the wire nor the page, and reads no clock of its own.
 *
 * A turn is frozen. A user's turn: {id, role, text, images}. A reply: {id, role, text, thinking, phase, ahead, thinkingFrom, thinkingTo,
 * ending}, whose phase goes sending → waiting → thinking → answering → ended. `at` is always milliseconds.
 */
const freeze = Object.freeze;

const newReply = (id) => freeze({
  id, role: 'assistant', text: '', thinking: '', phase: 'sending', ahead: null, thinkingFrom: null, thinkingTo: null, ending: null,
});

export function ask(turns, { text, images, ids }) {
  const question = freeze({ id: ids[0], role: 'user', text, images: freeze([...images]) });
  return freeze([...turns, question, newReply(ids[1])]);
}

/** The open reply begins again, for the same question. */
export function askAgain(turns, { id }) {
  return lastReply(turns) ? freeze([...turns.slice(0, -1), newReply(id)]) : turns;
}

/** Takes the last question and its empty reply out, and hands back what had been typed. */
export function withdraw(turns) {
  const question = turns.at(-2);
  return { turns: freeze(turns.slice(0, -2)), text: question.text, images: question.images };
}

const GROWTH = {
  opened: (reply) => ({ ...reply, phase: 'waiting' }),
  queue: (reply, { ahead }) => ({ ...reply, phase: 'waiting', ahead }),
  thinking: (reply, { text }, at) => ({
    ...reply,
    phase: reply.text ? 'answering' : 'thinking',
    thinking: reply.thinking + text,
    thinkingFrom: reply.thinkingFrom ?? at,
  }),
  token: (reply, { text }, at) => ({ ...thoughtOver(reply, at), phase: 'answering', text: reply.text + text }),
};

export function receive(turns, event, at) {
  const grow = GROWTH[event.type];
  return grow && replying(turns) ? replaceLast(turns, grow(turns.at(-1), event, at)) : turns;
}

export function end(turns, ending, at) {
  if (!replying(turns)) return turns;
  return replaceLast(turns, { ...thoughtOver(turns.at(-1), at), phase: 'ended', ending });
}

export function lastReply(turns) {
  const last = turns.at(-1);
  return last?.role === 'assistant' ? last : null;
}

export function replying(turns) {
  const reply = lastReply(turns);
  return reply !== null && reply.phase !== 'ended';
}

/** Nothing came back, not even a thought. */
export function isEmptyReply(reply) {
  return reply.text === '' && reply.thinking === '';
}

/** Milliseconds spent thinking so far, or null if there was none. */
export function thoughtFor(reply, now) {
  return reply.thinkingFrom === null ? null : Math.max(0, (reply.thinkingTo ?? now) - reply.thinkingFrom);
}

function thoughtOver(reply, at) {
  return reply.thinkingFrom === null || reply.thinkingTo !== null ? reply : { ...reply, thinkingTo: at };
}

function replaceLast(turns, turn) {
  return freeze([...turns.slice(0, -1), freeze(turn)]);
}
