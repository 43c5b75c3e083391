/**
 * A small picture that opens in the viewer; knows an image, not where it stands.
 */
import * as words from '../words/index.js';
import { element, setAttributes } from './dom.js';

export class Thumbnail {
  #picture = element('img', { alt: '', draggable: 'false', loading: 'lazy' });

  constructor({ id, preview }, { onOpen }) {
    this.node = element('button', { type: 'button', class: 'thumbnail', on: { click: () => onOpen(id, this.node) } }, this.#picture);
    // What the browser cannot show the server will hardly read, but it has the last word.
    this.#picture.addEventListener('error', () => this.#noPreview());
    this.#picture.src = preview;
  }

  /** `title` names the image and its place. */
  update(title) {
    setAttributes(this.node, { 'aria-label': words.viewer.open(title), title });
  }

  #noPreview() {
    this.#picture.replaceWith(element('span', { class: 'thumbnail-unreadable' }, words.composer.noPreview));
    this.node.disabled = true;
  }
}
