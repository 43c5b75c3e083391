/**
 * Keeps a container showing growing Markdown, rebuilding only its last open piece; does not know where the text comes from.
 *
 * Rebuilding everything for each token blocked the page for 21 s at 1000 tokens; see facts.md. Where even the last piece is slow to build, a
 * list of a thousand lines, it is built less often, so that most of the time stays with the reader.
 */
import { BlockCutter } from './blocks.js';
import { isIntricate } from './bounds.js';
import { tokensOf } from './clinical.js';
import { patch } from './patch.js';
import { Renderer } from './render.js';

const A_FRAME = 16;
const REST = 4;

export class MarkdownFlow {
  #container;
  #renderer;
  #shown = '';
  #cutter = new BlockCutter();
  #committed = 0;
  #openNodes = [];
  #formulas = [];
  #restsUntil = 0;
  behind = false;

  /** `typeset` is handed the formulas that have come to stand in the container, as elements that show their source. */
  constructor(container, document, { typeset = () => {} } = {}) {
    this.#container = container;
    this.#renderer = new Renderer(document, { typeset: (node) => this.#formulas.push(node) });
    this.typeset = typeset;
  }

  /** May leave the newest text for a later update, and says so in `behind`; never once the text is `whole`. */
  update(text, { whole = true } = {}) {
    const began = performance.now();
    this.behind = !whole && began < this.#restsUntil;
    if (this.behind || text === this.#shown) return;
    this.#show(text);
    const spent = performance.now() - began;
    this.#restsUntil = spent > A_FRAME ? began + spent * (1 + REST) : 0;
  }

  #show(text) {
    if (!text.startsWith(this.#shown)) this.#restart();
    this.#cutter.push(text.slice(this.#shown.length));
    this.#shown = text;
    const closed = this.#cutter.closed.slice(this.#committed).flatMap((piece) => this.#nodesOf(piece));
    this.#committed = this.#cutter.closed.length;
    const fresh = [...closed, ...this.#nodesOf(this.#cutter.open)];
    this.#openNodes = patch(this.#container, this.#openNodes, fresh).slice(closed.length);
    // Most of them were only made to be compared with what stands there already.
    const formulas = this.#formulas.filter((node) => this.#container.contains(node));
    this.#formulas = [];
    if (formulas.length > 0) this.typeset(formulas);
  }

  #restart() {
    this.#container.replaceChildren();
    this.#cutter = new BlockCutter();
    this.#committed = 0;
    this.#openNodes = [];
    this.#shown = '';
  }

  /** Hostile nesting overflows any recursive parser; then the characters are shown as they came. */
  #nodesOf(piece) {
    if (isIntricate(piece)) return this.#asItCame(piece);
    try {
      return this.#renderer.blocks(tokensOf(piece));
    } catch {
      return this.#asItCame(piece);
    }
  }

  #asItCame(piece) {
    return [this.#renderer.element('p', [this.#renderer.text(piece.trimEnd())], { class: 'unparsed' })];
  }
}
