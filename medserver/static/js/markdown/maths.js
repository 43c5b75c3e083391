/**
 * Finds maths in Markdown, between `$…$`, `$$…$$`, `\(…\)` and `\[…\]`, as rules for marked; does not know how it is typeset.
 *
 * A clinical text is full of dollars and powers that are none: "costs $5, later $10", "5*10^9/L", "see \[1\]". So what stands between the
 * marks must have a sign of TeX in it, and must not read like a sentence or a price. What is not sure stays the characters it is.
 */
const LONGEST = 1000;
const MARKS = [
  { display: true, pattern: new RegExp(String.raw`^\$\$([^$]{1,${LONGEST}})\$\$`) },
  { display: true, pattern: new RegExp(String.raw`^\\\[([^]{1,${LONGEST}}?)\\\]`) },
  { display: false, pattern: new RegExp(String.raw`^\\\(([^\n]{1,${LONGEST}}?)\\\)`) },
  { display: false, pattern: new RegExp(String.raw`^\$(?![\s$])((?:\\[^\n]|[^$\\\n]){1,${LONGEST}})\$(?![\p{L}\p{N}$])`, 'u'), price: true },
];
const NO_START = /[\\$\p{L}\p{N}]/u;
const WRITTEN_OUT = /\\(?:text|textrm|textbf|textit|mathrm|mathbf|mathit|operatorname)\s*\{[^{}]*\}/g;
const SIGN = /\\[A-Za-z]|[\^_=]/;
const LETTER = /^\s*[A-Za-z]\s*$/;
const SENTENCE = /[A-Za-z]{2,}[\s,;.]+[A-Za-z]{2,}/;
const PRICE = /^\s*\d[^]*[A-Za-z]{2,}/;
// These would draw what is no formula, load something, or set a style, which the page's policy forbids.
const REFUSED = /\\(?:href|url|includegraphics|html\w*|fcolorbox|pmb|def|gdef|edef|xdef|let|newcommand|renewcommand|providecommand)(?![A-Za-z])/;

/** {raw, tex, display} of the maths that `src` begins with, or null. */
export function mathsAt(src) {
  if (src[0] !== '$' && src[0] !== '\\') return null;
  for (const { display, pattern, price = false } of MARKS) {
    const found = pattern.exec(src);
    if (found && isMaths(found[1], price)) return { raw: found[0], tex: found[1].trim(), display };
  }
  return null;
}

function isMaths(tex, price) {
  if (REFUSED.test(tex) || /\n\s*\n/.test(tex) || (price && /\s$/.test(tex))) return false;
  const bare = tex.replace(WRITTEN_OUT, ' ').replace(/\\[A-Za-z]+|\\[^]/g, ' ').replace(/[{}]/g, '/');
  return (SIGN.test(tex) || LETTER.test(tex)) && !SENTENCE.test(bare) && !(price && PRICE.test(bare));
}

/** Where in `src` maths may begin; a dollar after a letter is a currency. */
function startOf(src) {
  const starts = [dollarIn(src), src.indexOf('\\('), src.indexOf('\\[')].filter((at) => at >= 0);
  return starts.length > 0 ? Math.min(...starts) : undefined;
}

// By indexOf, because marked asks again at every piece of a text: a pattern took seconds where this takes milliseconds.
function dollarIn(src) {
  let at = src.indexOf('$');
  while (at > 0 && NO_START.test(src[at - 1])) at = src.indexOf('$', at + 1);
  return at;
}

function blockStartOf(src) {
  const starts = [src.indexOf('\n$$'), src.indexOf('\n\\[')].filter((at) => at >= 0);
  return starts.length > 0 ? Math.min(...starts) : undefined;
}

const asToken = (found) => (found ? { type: 'maths', ...found } : undefined);

function blockAt(src) {
  const found = mathsAt(src);
  const end = found?.display ? /^[ \t]*(?:\n|$)/.exec(src.slice(found.raw.length)) : null;
  return end ? { type: 'mathsBlock', ...found, raw: found.raw + end[0] } : undefined;
}

export const mathsRules = [
  { name: 'maths', level: 'inline', start: startOf, tokenizer: (src) => asToken(mathsAt(src)) },
  { name: 'mathsBlock', level: 'block', start: blockStartOf, tokenizer: blockAt },
];

/** The same text, in which no asterisk or underscore of a formula can be taken for emphasis. */
export function withoutMaths(text) {
  if (!text.includes('$') && !text.includes('\\')) return text;
  let masked = '';
  for (let at = 0; at < text.length;) {
    const found = mathsAt(text.slice(at, at + LONGEST + 4));
    const raw = found?.raw ?? text[at];
    masked += found ? 'x'.repeat(raw.length) : raw;
    at += raw.length;
  }
  return masked;
}
