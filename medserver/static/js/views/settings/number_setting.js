/**
 * One number that may be set: its field, what the server takes otherwise, and what is wrong with what was typed.
 */
import { read } from '../../settings/settings.js';
import * as words from '../../words/index.js';
import { element, setAttributes, setText } from '../dom.js';

export class NumberSetting {
  #bounds = null;
  #wrong = false;
  #hint = element('p', { class: 'setting-hint' });
  #problem = element('p', { class: 'setting-problem', role: 'alert' });

  constructor(name, { onSetting }) {
    const id = `setting-${name}`;
    Object.assign(this.#hint, { id: `${id}-hint` });
    Object.assign(this.#problem, { id: `${id}-problem` });
    // A text field: a browser's own number field hides what it cannot read, and so what is to be said about it.
    this.input = element('input', {
      id, class: 'field setting-number', type: 'text', inputmode: 'decimal', autocomplete: 'off', 'aria-describedby': `${id}-hint ${id}-problem`,
      on: { input: () => this.#typed(name, onSetting) },
    });
    this.reset = element('button', { type: 'button', class: 'link-button', on: { click: () => this.#reset(name, onSetting) } }, words.settings.useUsual);
    this.node = element(
      'div', { class: 'setting' },
      element('label', { for: id }, words.settings.names[name]),
      element('div', { class: 'setting-row' }, this.input, this.reset),
      this.#hint, this.#problem,
    );
    this.name = name;
  }

  update(value, bounds) {
    this.#bounds = bounds;
    this.value = value;
    this.input.disabled = bounds.locked;
    setAttributes(this.input, { placeholder: words.figure(bounds.usual) });
    setText(this.#hint, bounds.locked ? words.settings.locked : words.settings.hints[this.name](bounds));
    this.reset.hidden = (value === null && !this.#wrong) || bounds.locked;
    // What is being typed, or cannot be used yet, is nobody else's to change.
    if (document.activeElement !== this.input && !this.#wrong) this.#show();
  }

  #show() {
    const text = this.value === null || this.#bounds.locked ? '' : String(this.value);
    if (this.input.value !== text) this.input.value = text;
    this.#say(null);
  }

  #typed(name, onSetting) {
    const { value, problem } = read(this.input.value, this.#bounds);
    this.#say(problem ?? null);
    if (!problem) onSetting(name, value);
  }

  #reset(name, onSetting) {
    this.#say(null);
    this.input.value = '';
    onSetting(name, null);
    this.input.focus();
  }

  #say(problem) {
    this.#wrong = problem !== null;
    setText(this.#problem, problem ? words.settings.problems[problem](this.#bounds) : '');
    setAttributes(this.input, { 'aria-invalid': problem !== null });
  }
}
