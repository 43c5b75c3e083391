/**
 * Keeps a container showing growing Markdown, rebuilding only its last open piece; does not know where the text comes from.
 *
 * Rebuilding everything for each token blocked the page for 21 s at 1000 tokens; see facts.md.
 */
import { BlockCutter } from './blocks.js';
import { tokensOf } from './clinical.js';
import { Renderer } from './render.js';

export class MarkdownFlow {
  #container;
  #renderer;
  #shown = '';
  #cutter = new BlockCutter();
  #committed = 0;
  #openNodes = [];

  constructor(container, document) {
    this.#container = container;
    this.#renderer = new Renderer(document);
  }

  update(text) {
    if (text === this.#shown) return;
    if (!text.startsWith(this.#shown)) this.#restart();
    this.#cutter.push(text.slice(this.#shown.length));
    this.#shown = text;
    this.#openNodes.forEach((node) => node.remove());
    for (; this.#committed < this.#cutter.closed.length; this.#committed += 1) {
      this.#container.append(...this.#nodesOf(this.#cutter.closed[this.#committed]));
    }
    this.#openNodes = this.#nodesOf(this.#cutter.open);
    this.#container.append(...this.#openNodes);
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
    try {
      return this.#renderer.blocks(tokensOf(piece));
    } catch {
      return [this.#renderer.element('p', [this.#renderer.text(piece.trimEnd())], { class: 'unparsed' })];
    }
  }
}
