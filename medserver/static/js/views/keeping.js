/**
 * Says for as long as it is so that what is seen is not kept on this device, and why; knows the code, not the storage.
 */
import * as words from '../words/index.js';
import { element, setText } from './dom.js';
import { icon } from './icons.js';

export class Keeping {
  #title = element('strong');
  #rest = element('span');

  constructor({ onKeepAgain }) {
    this.node = element(
      'section', { id: 'keeping', class: 'keeping', 'aria-label': words.keeping.label, hidden: true },
      icon('warn'), element('p', {}, this.#title, ' ', this.#rest),
      element('button', { type: 'button', class: 'button', on: { click: onKeepAgain } }, words.keeping.again),
    );
  }

  update(trouble) {
    this.node.hidden = trouble === null;
    if (!trouble) return;
    const { title, rest } = words.keeping.trouble(trouble);
    setText(this.#title, title);
    setText(this.#rest, rest);
  }
}
