/**
 * The model's thinking, apart from its answer: open while it thinks, folded when the answer begins, and as the reader left it after that.
 */
import { thoughtFor } from '../conversation.js';
import * as words from '../words/index.js';
import { element, setText } from './dom.js';
import { icon } from './icons.js';

export class Thinking {
  #label = element('span');
  #text = document.createTextNode('');
  #summary = element('summary', {}, icon('chevron'), this.#label);
  #chosenByReader = false;
  node = element('details', { class: 'thinking', hidden: true }, this.#summary, element('div', { class: 'thinking-text' }, this.#text));

  constructor() {
    this.#summary.addEventListener('click', () => {
      this.#chosenByReader = true;
    });
  }

  update(reply, now) {
    this.node.hidden = reply.thinking === '';
    if (this.node.hidden) return;
    const thinking = reply.phase === 'thinking';
    const spent = thoughtFor(reply, now);
    setText(this.#label, thinking ? words.turn.thinkingNow(spent) : words.turn.thoughtFor(spent));
    this.#updateText(reply.thinking);
    const open = thinking || reply.text === '';
    if (!this.#chosenByReader && this.node.open !== open) this.node.open = open;
  }

  /** Appending keeps the layout of what is already there. */
  #updateText(text) {
    const shown = this.#text.data;
    if (text === shown) return;
    if (text.startsWith(shown)) this.#text.appendData(text.slice(shown.length));
    else this.#text.data = text;
  }
}
