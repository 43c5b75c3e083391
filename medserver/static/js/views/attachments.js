/**
 * The images about to be sent, numbered in the order they will be sent, and how much of the limit they use; passes on what shall become of them.
 */
import { excessOf, imageFigures } from '../limits.js';
import * as words from '../words/index.js';
import { Attachment } from './attachment.js';
import { element, setText, ViewList } from './dom.js';
import { Reorder } from './reorder.js';

export class Attachments {
  #list = element('ol', { id: 'attachments', class: 'attachments', 'aria-label': words.composer.attachments });
  #figures = element('p', { class: 'attachments-figures' });
  node = element('div', { class: 'attachments-all', hidden: true }, this.#list, this.#figures);
  #images;
  #order = [];

  constructor({ onRemove, onMove, onLabel, onOpen, onEmptied }) {
    Object.assign(this, { onRemove, onMove, onEmptied });
    const acts = { onOpen, onLabel, onRemove: (id) => this.#remove(id), onStep: (id, step) => this.#step(id, step) };
    this.#images = new ViewList(this.#list, (image) => new Attachment(image, acts));
    this.reorder = new Reorder(this.#list, { handle: '.attachment-grip, .thumbnail', onMove: (from, to) => onMove(this.#order[from], to) });
  }

  update(images, health) {
    this.node.hidden = images.length === 0;
    this.#order = images.map((image) => image.id);
    this.#images.update(images, (view, image, index) => view.update(image, { number: index + 1, of: images.length, excess: excessOf(image, health) }));
    setText(this.#figures, images.length > 0 ? words.draftImages.figures(imageFigures(images, health)) : '');
  }

  /** The keyboard stays where the image was, instead of falling to the top of the page. */
  #remove(id) {
    const here = this.#order.indexOf(id);
    this.onRemove(id);
    const next = this.#list.children[Math.min(here, this.#list.children.length - 1)];
    if (next) next.querySelector('.attachment-remove').focus();
    else this.onEmptied();
  }

  /** The same button of the same image keeps the focus, wherever the image goes. */
  #step(id, step) {
    const pressed = document.activeElement;
    const to = this.#order.indexOf(id) + step;
    if (to < 0 || to >= this.#order.length) return;
    this.onMove(id, to);
    pressed.focus();
  }
}
