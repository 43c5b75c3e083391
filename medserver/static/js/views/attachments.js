/**
 * The images about to be sent, numbered in the order they will be sent; passes on which one shall go.
 */
import * as words from '../words.js';
import { element, setAttributes, setText, ViewList } from './dom.js';
import { icon } from './icons.js';

class Attachment {
  #image = element('img');
  #number = element('span', { class: 'attachment-number', 'aria-hidden': 'true' });

  constructor({ id, preview, name }, onRemove) {
    // What the browser cannot show the server will hardly read, but it has the last word.
    this.#image.addEventListener('error', () => this.#noPreview());
    this.#image.src = preview;
    this.remove = element('button', { type: 'button', class: 'attachment-remove', on: { click: () => onRemove(id, this.remove) } }, icon('close'));
    const caption = element('span', { class: 'attachment-name', 'aria-hidden': 'true', title: name }, name);
    this.node = element('li', { class: 'attachment' }, this.#image, this.#number, caption, this.remove);
  }

  update({ name }, number) {
    setText(this.#number, String(number));
    setAttributes(this.#image, { alt: words.composer.image(number, name) });
    setAttributes(this.remove, { 'aria-label': words.composer.remove(number, name) });
  }

  #noPreview() {
    this.#image.replaceWith(element('p', { class: 'attachment-unreadable' }, words.composer.noPreview));
  }
}

export class Attachments {
  node = element('ul', { id: 'attachments', class: 'attachments', 'aria-label': words.composer.attachments, hidden: true });
  #images;

  constructor({ onRemove, onEmptied }) {
    this.#images = new ViewList(this.node, (image) => new Attachment(image, (id, button) => this.#remove(id, button, { onRemove, onEmptied })));
  }

  update(images) {
    this.node.hidden = images.length === 0;
    this.#images.update(images, (view, image, index) => view.update(image, index + 1));
  }

  /** The keyboard stays where the image was, instead of falling to the top of the page. */
  #remove(id, button, { onRemove, onEmptied }) {
    const buttons = [...this.node.querySelectorAll('.attachment-remove')];
    const here = buttons.indexOf(button);
    onRemove(id);
    const next = buttons[here + 1] ?? buttons[here - 1];
    if (next) next.focus();
    else onEmptied();
  }
}
