/**
 * Finds words in titles and messages whatever their case and accents; knows texts, not where they lie.
 */
import { plain } from '../markdown/plain.js';

const AROUND = 36;
const NEAR = 200; // of a long message no more than this around the place is freed of its marks

const PLAIN = /^[\0-\x7f]*$/; // which most texts are, and which needs no table of accents

/** Without case and accents, letter by letter, so that a place in one is found in the other. */
export function folded(text) {
  return PLAIN.test(text) ? text.toLowerCase() : text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

export function wordsOf(query) {
  return folded(query).split(/\s+/).filter(Boolean);
}

const entry = (text) => ({ text, folded: folded(text) });

/** What every session says, by its id, so that each letter that is typed only has to look. */
export class SearchIndex {
  #texts = new Map();

  add(messages) {
    for (const { session, text } of messages) {
      if (!this.#texts.has(session)) this.#texts.set(session, []);
      if (text) this.#texts.get(session).push(entry(text));
    }
  }

  textsOf(session) {
    return this.#texts.get(session) ?? [];
  }
}

/** [{id, excerpt}] of the sessions that hold every word somewhere, in their order; `excerpt` is {before, match, after} or null where the title said it all. */
export function found(query, sessions, index) {
  const words = wordsOf(query);
  if (words.length === 0) return null;
  const texts = new Map(sessions.map(({ id, title }) => [id, [entry(title), ...index.textsOf(id)]]));
  return sessions.filter(({ id }) => words.every((word) => texts.get(id).some((one) => one.folded.includes(word))))
    .map(({ id }) => Object.freeze({ id, excerpt: excerptFrom(texts.get(id), words) }));
}

function excerptFrom([title, ...texts], words) {
  const word = words.find((one) => !title.folded.includes(one));
  if (word === undefined) return null;
  const { text, folded: whole } = texts.find((one) => one.folded.includes(word));
  const at = whole.indexOf(word);
  // Where a letter folded into none or into two, the places differ.
  const near = whole.length === text.length ? text.slice(Math.max(0, at - NEAR), at + word.length + NEAR) : text;
  // What was searched for may be a mark itself.
  return excerptOf(plain(near), word) ?? excerptOf(near, word);
}

export function excerptOf(text, word) {
  return isPlain(text) ? excerptAt(text, folded(text).indexOf(word), word.length) : excerptByLetter(text, word);
}

/** Each place in it is the same place when it is folded. */
const isPlain = (text) => PLAIN.test(text) || (folded(text).length === text.length && text.normalize('NFD').length === text.length);

function excerptAt(text, at, length) {
  if (at < 0) return null;
  const [from, to] = [at - AROUND, at + length];
  return excerpt(from > 0, text.slice(Math.max(0, from), at), text.slice(at, to), text.slice(to, to + AROUND), text.length > to + AROUND);
}

function excerptByLetter(text, word) {
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
  const some = (start, end) => letters.slice(start, end).join('');
  return excerpt(from > AROUND, some(Math.max(0, from - AROUND), from), some(from, to), some(to, to + AROUND), letters.length > to + AROUND);
}

function excerpt(isCutBefore, before, match, after, isCutAfter) {
  const line = (text) => text.replace(/\s+/g, ' ');
  return Object.freeze({ before: (isCutBefore ? '…' : '') + line(before), match: line(match), after: line(after) + (isCutAfter ? '…' : '') });
}
