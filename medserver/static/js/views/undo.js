/**
 * The line that offers to bring back what was just deleted, for as long as it can be; does not know how.
 */
import * as words from '../words/index.js';
import { element, setText } from './dom.js';
import { icon } from './icons.js';

export class Undo {
  #said = element('p');

  constructor({ onUndo, onDismissUndo }) {
    this.undo = element('button', { type: 'button', class: 'button', on: { click: onUndo } }, words.undo.undo);
    this.node = element(
      'div', { id: 'undo', class: 'undo', role: 'group', 'aria-label': words.undo.label, hidden: true }, this.#said, this.undo,
      element('button', { type: 'button', class: 'button quiet square', 'aria-label': words.undo.dismiss, on: { click: onDismissUndo } }, icon('close')),
    );
  }

  update(undo) {
    this.node.hidden = undo === null;
    if (undo) setText(this.#said, words.undo.said(undo));
  }
}
