/**
 * What stands in the way of sending, said right above the message box; knows a notice's words, not where it came from.
 */
import * as words from '../words/index.js';
import { element, setAttributes, setText } from './dom.js';
import { icon, IconSlot } from './icons.js';

export class Notice {
  #icon = new IconSlot();
  #title = element('strong');
  #rest = element('span');
  #code = element('code');

  constructor({ onDismiss }) {
    this.dismiss = element(
      'button', { type: 'button', class: 'button quiet square', 'aria-label': words.composer.dismiss, on: { click: onDismiss } }, icon('close'),
    );
    this.node = element(
      'div', { id: 'notice', class: 'notice', role: 'group', 'aria-label': words.composer.notice, hidden: true },
      this.#icon.node, element('p', {}, this.#title, ' ', this.#rest, ' ', this.#code), this.dismiss,
    );
  }

  /** A problem of the draft goes when the draft is mended, so it cannot be dismissed. */
  update(notice, { now, dismissable }) {
    this.node.hidden = !notice;
    if (!notice) return;
    const { tone, title, rest, code } = words.notice(notice, now);
    setAttributes(this.node, { 'data-tone': tone });
    this.#icon.update(tone);
    setText(this.#title, title);
    setText(this.#rest, rest);
    setText(this.#code, code ?? '');
    this.dismiss.hidden = !dismissable;
  }
}
