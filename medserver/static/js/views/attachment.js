/**
 * One image about to be sent: its picture, its number, what it is called, and the ways to move it and take it out.
 */
import * as words from '../words/index.js';
import { element, setAttributes, setText } from './dom.js';
import { icon } from './icons.js';
import { ImageLabel } from './image_label.js';
import { Thumbnail } from './thumbnail.js';

export class Attachment {
  #number = element('span');
  #excess = element('p', { class: 'attachment-excess', hidden: true });

  constructor(image, { onOpen, onRemove, onStep, onLabel }) {
    const { id, name } = image;
    this.thumbnail = new Thumbnail(image, { onOpen });
    this.remove = element('button', { type: 'button', class: 'attachment-remove', on: { click: () => onRemove(id) } }, icon('close'));
    this.earlier = this.#step('back', () => onStep(id, -1));
    this.later = this.#step('chevron', () => onStep(id, 1));
    this.grip = element('span', { class: 'attachment-grip', title: words.draftImages.grip }, icon('grip'), this.#number);
    this.label = new ImageLabel({ onLabel: (label) => onLabel(id, label) });
    this.node = element(
      'li', { class: 'attachment' }, this.thumbnail.node, this.remove, element('p', { class: 'attachment-name', title: name }, name), this.#excess,
      element('div', { class: 'attachment-order' }, this.earlier, this.grip, this.later), this.label.node,
    );
  }

  /** `excess` is its size in megabytes if that is too much. */
  update({ name, label }, { number, of, excess }) {
    setText(this.#number, String(number));
    this.thumbnail.update(words.turn.image(number, name, label));
    setAttributes(this.remove, { 'aria-label': words.composer.remove(number, name) });
    setAttributes(this.earlier, { 'aria-label': words.draftImages.earlier(number), 'aria-disabled': number === 1 ? 'true' : null });
    setAttributes(this.later, { 'aria-label': words.draftImages.later(number), 'aria-disabled': number === of ? 'true' : null });
    this.earlier.hidden = of === 1;
    this.later.hidden = of === 1;
    setAttributes(this.node, { 'data-alone': of === 1 });
    this.#excess.hidden = excess === null;
    setText(this.#excess, excess === null ? '' : words.draftImages.tooLarge(excess));
    this.label.update(label ?? '', number);
  }

  #step(sign, onClick) {
    return element('button', { type: 'button', class: 'attachment-step', on: { click: onClick } }, icon(sign));
  }
}
