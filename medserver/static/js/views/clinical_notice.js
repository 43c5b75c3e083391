/**
 * What must be known before the first use: shown once for each version of its words, until it is accepted.
 */
import * as words from '../words/index.js';
import { element } from './dom.js';

export class ClinicalNotice {
  /** `onAccept` gets the version that was accepted. */
  constructor({ onAccept }) {
    const { heading, paragraphs, accept, version } = words.clinicalNotice;
    const button = element('button', { type: 'button', class: 'button primary', on: { click: () => { this.node.close(); onAccept(version); } } }, accept);
    this.node = element(
      'dialog', {
        id: 'clinical-notice', class: 'dialog', 'aria-labelledby': 'clinical-notice-heading', 'aria-describedby': 'clinical-notice-text',
        // To close it is not to accept it.
        on: { cancel: (event) => event.preventDefault() },
      },
      element('h2', { id: 'clinical-notice-heading', tabindex: '-1', autofocus: true }, heading),
      element('div', { id: 'clinical-notice-text' }, ...[...paragraphs, words.terms.notice].map((text) => element('p', {}, text))),
      element('div', { class: 'dialog-row' }, button),
    );
  }

  open() {
    this.node.showModal();
  }
}
