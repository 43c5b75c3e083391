/**
 * Builds DOM nodes from marked's tokens through a document it is handed; knows neither the page nor that text may still be growing.
 *
 * Every node comes from createElement and every character from a text node: no string ever becomes markup, a script or an address.
 */
import { decodeEntities } from './entities.js';

const SAFE_PROTOCOLS = new Set(['http:', 'https:', 'mailto:']);
// The page owns h1 and each turn an h2; the model's own headings follow below them.
const HEADING_OFFSET = 2;

/** The address as the browser reads it, or null if following it could be anything but opening a page or a letter. */
export function safeAddress(href) {
  try {
    const address = new URL(href);
    return SAFE_PROTOCOLS.has(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

export class Renderer {
  #document;

  /** `typeset` is told of each formula it makes, an element that shows its source. */
  constructor(document, { typeset = () => {} } = {}) {
    this.#document = document;
    this.typeset = typeset;
  }

  blocks(tokens) {
    return tokens.flatMap((token) => BLOCKS[token.type]?.(this, token) ?? this.inline([token]));
  }

  inline(tokens = []) {
    return tokens.map((token) => INLINE[token.type]?.(this, token) ?? this.text(token.raw));
  }

  text(characters) {
    return this.#document.createTextNode(characters);
  }

  element(tag, children = [], attributes = {}) {
    const node = this.#document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }
}

function formula(r, { raw, tex, display }) {
  const node = r.element('span', [r.text(raw.trimEnd())], { class: 'maths', 'data-tex': tex, 'data-display': display ? '' : null });
  r.typeset(node);
  return node;
}

const BLOCKS = {
  space: () => [],
  hr: (r) => r.element('hr'),
  paragraph: (r, token) => r.element('p', r.inline(token.tokens)),
  heading: (r, token) => r.element(`h${Math.min(6, token.depth + HEADING_OFFSET)}`, r.inline(token.tokens)),
  blockquote: (r, token) => r.element('blockquote', r.blocks(token.tokens)),
  code: (r, token) => r.element('pre', [r.element('code', [r.text(token.text)])], { 'data-language': token.lang || null, tabindex: '0' }),
  list: (r, token) => {
    const start = token.ordered && token.start !== 1 ? String(token.start) : null;
    return r.element(token.ordered ? 'ol' : 'ul', token.items.map((item) => r.element('li', r.blocks(item.tokens))), { start });
  },
  table: (r, token) => {
    const head = r.element('thead', [tableRow(r, token.header, 'th')]);
    const body = r.element('tbody', token.rows.map((row) => tableRow(r, row, 'td')));
    // A wide table scrolls by itself; the keyboard can only scroll what it can reach.
    return r.element('div', [r.element('table', [head, body])], { class: 'table-scroll', tabindex: '0' });
  },
  mathsBlock: (r, token) => r.element('p', [formula(r, token)]),
  // A tight list item holds bare text where a loose one holds paragraphs.
  text: (r, token) => (token.tokens ? r.inline(token.tokens) : r.inline([token])),
};

function tableRow(r, cells, tag) {
  const scope = tag === 'th' ? 'col' : null;
  return r.element('tr', cells.map((cell) => r.element(tag, r.inline(cell.tokens), { scope, 'data-align': cell.align })));
}

const INLINE = {
  maths: formula,
  text: (r, token) => r.text(decodeEntities(token.text)),
  escape: (r, token) => r.text(token.text),
  html: (r, token) => r.text(token.raw),
  checkbox: (r, token) => r.text(token.raw),
  br: (r) => r.element('br'),
  strong: (r, token) => r.element('strong', r.inline(token.tokens)),
  em: (r, token) => r.element('em', r.inline(token.tokens)),
  del: (r, token) => r.element('del', r.inline(token.tokens)),
  codespan: (r, token) => r.element('code', [r.text(token.text)]),
  // Fetching a picture would tell its server who is reading what.
  image: (r, token) => r.element('span', [r.text(`${token.text} (${token.href})`.trim())], { class: 'unloaded-image' }),
  link: (r, token) => {
    const href = safeAddress(token.href);
    if (!href) return r.text(token.raw);
    // A new tab, because leaving this page would end the conversation.
    return r.element('a', r.inline(token.tokens), { href, rel: 'noopener noreferrer', target: '_blank' });
  },
};
