/**
 * What an image is called: nothing, prior, current, or in somebody's own words. Does not know which image it is.
 */
import { labelOf, LABELS, LONGEST } from '../label.js';
import * as words from '../words/index.js';
import { element, setAttributes } from './dom.js';

const OWN = 'own';
const { labels } = words.draftImages;

export class ImageLabel {
  #own = false; // chosen, though nothing may be written yet

  constructor({ onLabel }) {
    this.onLabel = onLabel;
    this.choice = element(
      'select', { class: 'select attachment-label', on: { change: () => this.#chosen() } },
      ...['', ...LABELS, OWN].map((value) => element('option', { value }, labels[value])),
    );
    this.text = element('input', {
      type: 'text', class: 'attachment-own', maxlength: LONGEST, autocomplete: 'off', hidden: true,
      on: { input: () => onLabel(labelOf(this.text.value)), keydown: (event) => this.#pressed(event) },
    });
    this.node = element('div', { class: 'attachment-labels' }, this.choice, this.text);
  }

  update(label, number) {
    const own = this.#own || (label !== '' && !LABELS.includes(label));
    this.choice.value = own ? OWN : label;
    this.text.hidden = !own;
    if (labelOf(this.text.value) !== label) this.text.value = own ? label : '';
    setAttributes(this.choice, { 'aria-label': words.draftImages.label(number) });
    setAttributes(this.text, { 'aria-label': words.draftImages.ownLabel(number), placeholder: labels[OWN] });
  }

  #chosen() {
    this.#own = this.choice.value === OWN;
    this.onLabel(this.#own ? labelOf(this.text.value) : this.choice.value);
    this.text.hidden = !this.#own;
    if (this.#own) this.text.focus();
  }

  /** Enter sends from the message box, not from here. */
  #pressed(event) {
    if (event.key === 'Enter') event.preventDefault();
  }
}
