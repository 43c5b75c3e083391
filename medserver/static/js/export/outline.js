/**
 * What a downloaded document says of a conversation, in order and in plain values; knows neither Markdown nor HTML.
 *
 * {title, facts, warnings, turns}: a turn is {who, notes, images, thought, text, set, ending}, where `set` says that its text is Markdown. The
 * thinking is left out unless asked for; an edited answer says so; a demo model is named wherever it speaks.
 */
import * as words from '../words/index.js';

export function conversationOutline({ turns, session }, { at, thinking = false }) {
  return outline(words.file.conversation, session?.title, turns, turns.map((turn) => turnOutline(turn, thinking)), at);
}

export function answerOutline(reply, { at, thinking = false }) {
  return outline(words.file.answer, '', [reply], [turnOutline(reply, thinking)], at);
}

/** Year to minute in local time, as in 2026-11-22 04:20. */
export function minute(at) {
  const date = new Date(at);
  const two = (n) => String(n).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function fileName(at, extension) {
  return `medserver-${minute(at).replace(' ', '-').replace(':', '')}.${extension}`;
}

function outline(kind, name, all, turns, at) {
  const demo = all.some((turn) => turn.made?.demo);
  return Object.freeze({
    title: words.file.title,
    facts: [[words.file.contents, [kind, name].filter(Boolean).join(': ')], [words.file.saved, minute(at)]],
    warnings: [demo ? words.banner.demo : null, words.page.standing].filter(Boolean),
    turns,
  });
}

function turnOutline(turn, thinking) {
  return turn.role === 'user' ? questionOutline(turn) : replyOutline(turn, thinking);
}

function questionOutline({ text, images, at }) {
  return Object.freeze({
    who: words.turn.user, notes: [minute(at)], images: images.map((image, index) => words.turn.image(index + 1, image.name, image.label)),
    thought: null, text, set: false, ending: null,
  });
}

function replyOutline(reply, thinking) {
  const { tone, title, rest } = reply.ending ? words.ending(reply) : words.file.unfinished;
  return Object.freeze({
    who: reply.edited ? words.turn.edited : words.turn.assistant,
    notes: [minute(reply.at), ...words.madeBy(reply.made)],
    images: [], thought: thinking && reply.thinking ? reply.thinking.trim() : null, text: reply.text.trim(), set: true,
    ending: tone === 'quiet' ? null : [title, rest].filter(Boolean).join(' '),
  });
}
