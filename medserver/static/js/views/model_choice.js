/**
 * Which model answers: its name, or a choice where the server offers several. Does not know where they run.
 */
import * as words from '../words/index.js';
import { element, setText } from './dom.js';

export class ModelChoice {
  #name = element('span', { class: 'model-name' });
  #shown = '';

  constructor({ onSetting }) {
    this.select = element('select', { id: 'model', class: 'select model-select', 'aria-label': words.page.model, hidden: true, on: { change: () => onSetting('model', this.select.value) } });
    this.node = element('div', { class: 'model-choice' }, this.#name, this.select);
  }

  /** `model` is what was chosen, null for the first one that the server offers. */
  update({ health, model }) {
    const offered = health?.models ?? [];
    const several = offered.length > 1 || (model !== null && !offered.includes(model));
    this.#name.hidden = several;
    this.select.hidden = !several;
    setText(this.#name, health?.model_name ?? '');
    if (several) this.#offer(offered, model ?? offered[0]);
  }

  /** A chosen model that is no longer offered stays in sight, so that nobody is answered by another one unawares. */
  #offer(offered, chosen) {
    const names = offered.includes(chosen) ? offered : [chosen, ...offered];
    const shown = JSON.stringify([names, offered]);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.select.replaceChildren(...names.map((name) => (
        offered.includes(name) ? element('option', { value: name }, shortest(name, names)) : element('option', { value: name, disabled: true }, words.page.modelGone(shortest(name, names)))
      )));
    }
    this.select.value = chosen;
  }
}

/** Without its owner, where that leaves no two alike: a phone has no room for both, and cuts off what tells them apart. */
function shortest(name, names) {
  const bare = (one) => one.slice(one.lastIndexOf('/') + 1);
  return names.filter((other) => bare(other) === bare(name)).length > 1 ? name : bare(name);
}
