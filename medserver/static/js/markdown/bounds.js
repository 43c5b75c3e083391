/**
 * Says which Markdown would cost a reader's browser seconds instead of milliseconds; knows no tokens and no DOM.
 *
 * Measured on two cores: 30,000 characters of `_a_` took marked 3.2 s, as many letters before an `@` the same, lists 250 deep 0.5 s with 500
 * levels of elements, and a table of 10,000 columns never came back. No report is written so; it is shown as the plain characters it is.
 */
const UNBROKEN = /[!-~]{2000,}|[ \t]{1000,}/; // addresses, emphasis and line ends are searched anew at each character
const NESTED_ON_ONE_LINE = /^[ \t]*(?:>[ \t]*|(?:[-*+]|\d{1,9}[.)])[ \t]+){17,}/m;
const NESTED_BY_INDENT = /^[ \t]{100,}(?:[-*+]|\d{1,9}[.)])[ \t]/m;
const FENCED = /^(`{3,}|~{3,})[^`\n]*\n[^]*?(?:\n\1|$)/;
const MOST_CELLS = 10_000;
const MOST_EMPHASES = 400;

/** For one piece as blocks.js cuts it. A block of code is only copied, whatever it holds. */
export function isIntricate(piece) {
  const parsed = piece.replace(FENCED, '');
  return UNBROKEN.test(parsed) || NESTED_ON_ONE_LINE.test(parsed) || NESTED_BY_INDENT.test(parsed);
}

/** Every row is filled up to the widest, so a table costs its widest row times its rows. */
export function isHugeTable(rows, columns) {
  return rows * columns > MOST_CELLS;
}

/** Each mark looks for its partner through all that follows, and again inside every pair that encloses it. */
export function isOveremphasised(text) {
  return (text.match(/[*_]+/g)?.length ?? 0) > MOST_EMPHASES;
}
