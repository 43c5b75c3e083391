/**
 * The line under a reply that says how it ended, so that an incomplete answer never looks complete.
 */
import * as words from '../words.js';
import { element, setAttributes, setText } from './dom.js';
import { IconSlot } from './icons.js';

const ICONS = { quiet: 'check', warn: 'warn', bad: 'bad' };

export class Ending {
  #icon = new IconSlot();
  #title = element('strong');
  #rest = element('span');
  #code = element('code');
  node = element('p', { class: 'ending', hidden: true }, this.#icon.node, element('span', {}, this.#title, ' ', this.#rest, ' ', this.#code));

  update(reply) {
    this.node.hidden = reply.ending === null;
    if (this.node.hidden) return;
    const { tone, title, rest, code } = words.ending(reply);
    setAttributes(this.node, { 'data-tone': tone });
    this.#icon.update(ICONS[tone]);
    setText(this.#title, title);
    setText(this.#rest, rest);
    setText(this.#code, code ?? '');
  }
}
