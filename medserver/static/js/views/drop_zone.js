/**
 * Takes files dropped anywhere on the page and shows that it would; does not know what becomes of them.
 *
 * Without it a film that misses the box would replace the page, and the conversation with it.
 */
import * as words from '../words/index.js';
import { element } from './dom.js';

export class DropZone {
  #depth = 0; // dragenter and dragleave fire for every element passed over
  node = element('div', { class: 'drop-zone', hidden: true, 'aria-hidden': 'true' }, element('p', {}, words.page.drop));

  constructor({ onFiles }) {
    const listen = (type, act) => document.addEventListener(type, (event) => {
      if (![...event.dataTransfer.types].includes('Files')) return;
      event.preventDefault();
      act(event);
    });
    listen('dragenter', () => this.#enter(1));
    listen('dragleave', () => this.#enter(-1));
    listen('dragover', (event) => {
      event.dataTransfer.dropEffect = 'copy';
    });
    listen('drop', (event) => {
      this.#enter(-this.#depth);
      onFiles(event.dataTransfer.files);
    });
  }

  #enter(step) {
    this.#depth = Math.max(0, this.#depth + step);
    this.node.hidden = this.#depth === 0;
  }
}
