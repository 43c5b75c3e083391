/**
 * Finds words in titles and messages whatever their case and accents; knows texts, not where they lie.
 */
import { plain } from '../markdown/plain.js';

const AROUND = 36;

/** Without case and accents, letter by letter, so that a place in one is found in the other. */
export function folded(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

export function wordsOf(query) {
  return folded(query).split(/\s+/).filter(Boolean);
}

/** [{id, excerpt}] of the sessions that hold every word somewhere, the newest first; `excerpt` is {before, match, after} or null where the title said it all. */
export function found(query, sessions, messages) {
  const words = wordsOf(query);
  if (words.length === 0) return null;
  const texts = new Map(sessions.map(({ id, title }) => [id, [{ text: title, folded: folded(title) }]]));
  for (const { session, text } of messages) if (text) texts.get(session)?.push({ text, folded: folded(text) });
  return sessions.filter(({ id }) => words.every((word) => texts.get(id).some((one) => one.folded.includes(word))))
    .map(({ id }) => Object.freeze({ id, excerpt: excerptFrom(texts.get(id), words) }));
}

function excerptFrom([title, ...texts], words) {
  const word = words.find((one) => !title.folded.includes(one));
  if (word === undefined) return null;
  const { text } = texts.find((one) => one.folded.includes(word));
  // What was searched for may be a mark itself.
  return excerptOf(plain(text), word) ?? excerptOf(text, word);
}

export function excerptOf(text, word) {
  const letters = [...text];
  const starts = [];
  let whole = '';
  letters.forEach((letter) => {
    starts.push(whole.length);
    whole += folded(letter);
  });
  const at = whole.indexOf(word);
  if (at < 0) return null;
  const from = starts.findLastIndex((start) => start <= at);
  const next = starts.findIndex((start) => start >= at + word.length);
  const to = next < 0 ? letters.length : next;
  const line = (some) => some.join('').replace(/\s+/g, ' ');
  return Object.freeze({
    before: (from > AROUND ? '…' : '') + line(letters.slice(Math.max(0, from - AROUND), from)),
    match: line(letters.slice(from, to)),
    after: line(letters.slice(to, to + AROUND)) + (letters.length > to + AROUND ? '…' : ''),
  });
}
