/**
 * The server's standing in a word, opening into its engine, its queue and what was tried; knows health, not the conversation.
 */
import * as words from '../words/index.js';
import { element, setAttributes, setText } from './dom.js';
import { IconSlot } from './icons.js';

export class Status {
  #icon = new IconSlot();
  #label = element('span', { class: 'status-label' });
  #rows = element('dl', { class: 'status-rows' });
  #cards = element('dl', { class: 'status-rows status-cards', hidden: true });
  #shown = { rows: '', cards: '' };
  node = element(
    'details', { id: 'status', class: 'status' },
    element('summary', { class: 'button quiet' },
      element('span', { class: 'visually-hidden' }, `${words.status.heading}: `), this.#icon.node, this.#label),
    element('div', { class: 'status-panel' }, element('h2', {}, words.status.heading), this.#rows, this.#cards),
  );

  constructor() {
    this.node.addEventListener('keydown', (event) => this.#closeByKey(event));
    document.addEventListener('pointerdown', (event) => {
      if (!this.node.contains(event.target)) this.node.open = false;
    });
  }

  /** `model` is what was chosen, null for the server's first; `last` the timings of the last answer, or null. */
  update(standing, health, model, last) {
    setAttributes(this.node, { 'data-tone': standing.tone, 'data-kind': standing.kind });
    this.#icon.update(standing.tone);
    setText(this.#label, words.status.labels[standing.kind]);
    this.#updateRows(words.statusRows(health, model, last));
    this.#updateCards(health?.gpus ?? []);
  }

  #isShown(part, about) {
    const key = JSON.stringify(about);
    const same = key === this.#shown[part];
    this.#shown[part] = key;
    return same;
  }

  #updateRows(rows) {
    if (this.#isShown('rows', rows)) return;
    this.#rows.replaceChildren(...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
  }

  /** The memory of each graphics card, where the server shows it. */
  #updateCards(gpus) {
    if (this.#isShown('cards', gpus)) return;
    this.#cards.hidden = gpus.length === 0;
    this.#cards.replaceChildren(...gpus.flatMap((gpu) => {
      const { name, used } = words.vram(gpu);
      const bar = element('meter', { class: 'status-meter', min: '0', max: gpu.vram_total_gb, value: gpu.vram_used_gb, 'aria-label': words.status.memory(name) });
      return [element('dt', {}, name), element('dd', {}, bar, used)];
    }));
  }

  #closeByKey(event) {
    if (event.key !== 'Escape' || !this.node.open) return;
    event.stopPropagation();
    this.node.open = false;
    this.node.firstElementChild.focus();
  }
}
