/**
 * The two dialogs: what this is and under which terms, and the question before a conversation is cleared.
 *
 * <dialog> traps the focus, closes on Esc and gives the focus back by itself.
 */
import * as words from '../words.js';
import { element } from './dom.js';

const button = (text, kind, close) => element('button', { type: 'button', class: `button ${kind}`, on: { click: close } }, text);

export class AboutDialog {
  constructor() {
    const { heading, paragraphs, notice } = words.terms;
    this.node = element(
      'dialog', { id: 'about', class: 'dialog', 'aria-labelledby': 'about-heading' },
      // Begun at its button, a long text would open at its end.
      element('h2', { id: 'about-heading', tabindex: '-1', autofocus: true }, heading),
      ...[...paragraphs, notice].map((text) => element('p', {}, text)),
      element('div', { class: 'dialog-row' }, button(words.page.close, '', () => this.node.close())),
    );
  }

  open() {
    this.node.showModal();
  }
}

export class ClearDialog {
  constructor({ onConfirm }) {
    const { heading, meaning, confirm, keep } = words.clearing;
    const confirmed = () => {
      this.node.close();
      onConfirm();
    };
    this.node = element(
      'dialog', { id: 'clear', class: 'dialog', 'aria-labelledby': 'clear-heading', 'aria-describedby': 'clear-meaning' },
      element('h2', { id: 'clear-heading' }, heading),
      element('p', { id: 'clear-meaning' }, meaning),
      element('div', { class: 'dialog-row' }, button(keep, '', () => this.node.close()), button(confirm, 'primary', confirmed)),
    );
  }

  open() {
    this.node.showModal();
  }
}
