/**
 * The band under the header that is there only while the server is not simply ready; knows how the server stands, and nothing else.
 */
import * as words from '../words/index.js';
import { element, setAttributes, setText } from './dom.js';
import { IconSlot } from './icons.js';

export class Band {
  #icon = new IconSlot();
  #title = element('strong');
  #rest = element('span');
  #progress = element('progress', { class: 'band-progress', hidden: true });
  node = element(
    'section', { class: 'band', hidden: true, 'aria-label': words.status.heading },
    element('p', { class: 'band-line' }, this.#icon.node, element('span', {}, this.#title, ' ', this.#rest)),
    this.#progress,
  );

  update(standing) {
    const said = words.standing(standing);
    this.node.hidden = said === null;
    if (!said) return;
    setAttributes(this.node, { 'data-tone': standing.tone });
    this.#icon.update(standing.tone);
    setText(this.#title, said.title);
    setText(this.#rest, said.rest);
    this.#updateProgress(standing.progress, said.title);
  }

  #updateProgress(progress, name) {
    this.#progress.hidden = progress === null;
    // Without a value the browser draws a bar that does not know how far it is.
    setAttributes(this.#progress, { max: progress?.total, value: progress?.done, 'aria-label': name });
  }
}
