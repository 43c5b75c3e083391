/**
 * The line under a reply that says how it ended, so that an incomplete answer never looks complete, with what can be done about it.
 */
import { isIncomplete, remediesOf } from '../ending.js';
import * as words from '../words/index.js';
import { element, setAttributes, setText } from './dom.js';
import { IconSlot } from './icons.js';

const ICONS = { quiet: 'check', warn: 'warn', bad: 'bad' };

export class Ending {
  #icon = new IconSlot();
  #title = element('strong');
  #rest = element('span');
  #code = element('code');

  constructor({ onContinue, onAnswerNow, onRegenerate }) {
    const button = (name, onClick) => element('button', { type: 'button', class: 'button', hidden: true, on: { click: onClick } }, name);
    this.buttons = {
      continue: button(words.turn.continue, onContinue),
      continueAnyway: button(words.turn.continueAnyway, onContinue),
      answerNow: button(words.turn.answerNow, onAnswerNow),
      tryAgain: button(words.turn.tryAgain, onRegenerate),
    };
    const line = element('p', {}, this.#title, ' ', this.#rest, ' ', this.#code);
    this.row = element('div', { class: 'ending-row' }, ...Object.values(this.buttons));
    this.node = element('div', { class: 'ending', hidden: true }, this.#icon.node, line, this.row);
  }

  /** `last`: nothing follows the reply, so that it can go on. */
  update(reply, { last }) {
    this.node.hidden = reply.ending === null;
    if (this.node.hidden) return;
    const { tone, title, rest, code } = words.ending(reply);
    setAttributes(this.node, { 'data-tone': tone });
    this.#icon.update(ICONS[tone]);
    setText(this.#title, title);
    setText(this.#rest, rest);
    setText(this.#code, code ?? '');
    const remedies = { ...remediesOf(reply), tryAgain: isIncomplete(reply.ending) };
    for (const [name, button] of Object.entries(this.buttons)) button.hidden = !(last && remedies[name]);
    this.row.hidden = Object.values(this.buttons).every((button) => button.hidden);
  }
}
