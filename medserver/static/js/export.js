/**
 * Writes a conversation, or one answer of it, as a Markdown document; does not save it and knows nothing of the page.
 *
 * What the page shows around an answer goes with it: which model it was, how it ended, and that it needs validation. The model's own
 * headings stay below ours.
 */
import * as words from './words.js';

export function conversationFile(turns, { health, at }) {
  const parts = turns.flatMap((turn) => (turn.role === 'user' ? questionLines(turn) : replyLines(turn)));
  return file([`# ${words.file.conversation}`, ...origin(health, at), ...parts], at);
}

export function answerFile(reply, { health, at }) {
  return file([`# ${words.file.answer}`, ...origin(health, at), ...answerLines(reply)], at);
}

const file = (parts, at) => Object.freeze({
  name: `medserver-${minute(at).replace(' ', '-').replace(':', '')}.md`,
  text: `${parts.filter(Boolean).join('\n\n')}\n`,
});

function origin(health, at) {
  return [
    [words.file.model(health?.model_name), words.file.made(minute(at))].join('  \n'),
    health?.demo ? `> **${words.banner.demo}**` : null,
    `> ${words.page.standing}`,
  ];
}

function questionLines({ text, images }) {
  const listed = images.map((image, index) => `- ${words.turn.image(index + 1, image.name)}`).join('\n');
  return [`## ${words.turn.user}`, listed, text];
}

function replyLines(reply) {
  const thought = reply.thinking ? `> ${words.file.thought}\n>\n${quoted(reply.thinking.trim())}` : null;
  return [`## ${words.turn.assistant}`, thought, ...answerLines(reply)];
}

function answerLines(reply) {
  const { tone, title, rest } = reply.ending ? words.ending(reply) : words.file.unfinished;
  return [lowered(reply.text.trim()), tone === 'quiet' ? null : `**${[title, rest].filter(Boolean).join(' ')}**`];
}

const quoted = (text) => text.split('\n').map((line) => `> ${line}`).join('\n');

/** Two levels down, fenced code left alone. */
function lowered(text) {
  let fence = null;
  return text.split('\n').map((line) => {
    const [, mark] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    if (mark && (fence === null || mark.startsWith(fence))) fence = fence === null ? mark : null;
    return fence === null ? line.replace(/^ {0,3}(#{1,6})(?=\s)/, (_, marks) => '#'.repeat(Math.min(6, marks.length + 2))) : line;
  }).join('\n');
}

/** Year to minute in local time, as in 2026-11-22 04:20. */
function minute(at) {
  const date = new Date(at);
  const two = (n) => String(n).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
