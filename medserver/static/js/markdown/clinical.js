/**
 * Turns Markdown into marked's tokens, with the rules changed that would alter clinical text; knows nothing of the DOM or of streaming.
 *
 * CommonMark was made for prose. In a report `5*10^9/L and 3*10^6` would lose its asterisks, `WBC ~4~11` would be struck through, a line
 * ">5 mm is abnormal" would become a quotation of "5 mm is abnormal", and the fourth cell of a row under three headings would vanish.
 * A character that the model wrote is worth more than a style it may have meant.
 *
 * Two more rules are off because they let later text change earlier blocks, which a streamed page cannot follow: reference definitions
 * (`[x]: url`) and underlined headings. Blocks of HTML are off because HTML is shown as text, and text may be typeset.
 */
import { Marked, Tokenizer } from '../../vendor/marked/marked.esm.js';
import { isHugeTable, isOveremphasised } from './bounds.js';
import { mathsRules, withoutMaths } from './maths.js';

const OPERAND = String.raw`\p{Script=Latin}\p{Script=Greek}\p{N}`;
// No look-behind: iPads before iOS 16.4 refuse the whole module for it.
const MULTIPLIED = new RegExp(String.raw`([${OPERAND})\]%])\*(?=[${OPERAND}(\[])`, 'gu');
const POWERED = /([\d)])(\*{2,})(?=[\d(])/g;
const SPACED_PRODUCT = /(\d ?)\*(?= ?\d)/g;
const COMPARISON = /^ {0,3}>=?[ \t]?[.\d]/;
const TAG_OPENS_NOTHING = { inLink: false, inRawBlock: false, block: false };

/** Asterisks between operands become letters in the copy that marked searches for emphasis, so they neither open nor close it. */
export function maskProducts(masked) {
  if (isOveremphasised(masked)) return masked.replace(/[*_]/g, 'x');
  return withoutMaths(masked)
    .replace(POWERED, (_, before, stars) => before + 'x'.repeat(stars.length))
    .replace(MULTIPLIED, '$1x')
    .replace(SPACED_PRODUCT, '$1x');
}

function cellsIn(row) {
  return row.trim().replace(/\\\|/g, '').replace(/^\||\|$/g, '').split('|').length;
}

function widened(row, extra, cell) {
  const closed = row.trimEnd();
  return (/(^|[^\\])\|$/.test(closed) ? closed : `${closed} |`) + cell.repeat(extra);
}

/** GFM drops the cells of a row beyond the heading; a lab value must not disappear, so the heading grows instead. */
function wholeTable(src) {
  const lines = this.rules.block.table.exec(src)?.[0].trimEnd().split('\n') ?? [];
  if (isHugeTable(lines.length, lines.reduce((most, line) => Math.max(most, cellsIn(line)), 0))) return undefined;
  const table = Tokenizer.prototype.table.call(this, src);
  if (!table) return table;
  const [head, rule, ...rows] = table.raw.split('\n');
  const extra = rows.reduce((most, row) => Math.max(most, cellsIn(row)), 0) - table.header.length;
  if (extra <= 0) return table;
  const wide = [widened(head, extra, ' |'), widened(rule, extra, ' --- |'), ...rows].join('\n');
  return { ...(Tokenizer.prototype.table.call(this, wide) ?? table), raw: table.raw };
}

// marked asks each rule for a token: `undefined` means "not mine", `false` means "do as you always do".
const clinicalRules = {
  emStrong(src, masked) {
    const here = masked[masked.length - src.length];
    return '*_'.includes(src[0]) && here !== src[0] ? undefined : false;
  },
  del: (src) => (src.startsWith('~~') ? false : undefined),
  blockquote: (src) => (COMPARISON.test(src) ? undefined : false),
  table: wholeTable,
  // Marked remembers an open <a> or <pre> across blocks; as text they open nothing.
  tag(src) {
    const found = src[0] === '<' && this.rules.inline.tag.exec(src);
    return found ? { type: 'html', raw: found[0], text: found[0], ...TAG_OPENS_NOTHING } : undefined;
  },
  html: () => undefined,
  def: () => undefined,
  lheading: () => undefined,
};

const clinical = new Marked({
  gfm: true,
  breaks: true,
  tokenizer: clinicalRules,
  hooks: { emStrongMask: maskProducts },
  extensions: mathsRules,
});

/** The tokens of one piece of Markdown; throws what marked throws on text it cannot manage. */
export function tokensOf(markdown) {
  return clinical.lexer(markdown);
}
