/**
 * The control that opens and folds what a model said over and over; knows how often, not what.
 */
import * as words from '../words/index.js';
import { element, setAttributes, setText } from './dom.js';

export class Repeats {
  #said = element('span');
  open = false;

  constructor({ onToggle }) {
    this.button = element('button', { type: 'button', class: 'button', on: { click: () => { this.open = !this.open; onToggle(); } } });
    this.node = element('p', { class: 'repeats', hidden: true }, this.#said, this.button);
  }

  /** `repeats` as repeats.js found them, or null. */
  update(repeats) {
    this.node.hidden = repeats === null;
    if (!repeats) return;
    setText(this.#said, words.turn.repeats(repeats.times));
    setText(this.button, this.open ? words.turn.hideRepeats : words.turn.showRepeats);
    setAttributes(this.button, { 'aria-expanded': String(this.open) });
  }
}
