/**
 * The system prompt: the server's own, none, one that was kept, or one that is written here.
 */
import { choiceOf, effectivePrompt } from '../../settings/prompts.js';
import * as words from '../../words/index.js';
import { element, setText } from '../dom.js';

const KEPT = 'kept:';

export class PromptEditor {
  #offered = '';
  #note = element('p', { class: 'setting-hint', id: 'prompt-note' });
  #prompts = [];

  constructor({ onSetting, onKeepPrompt, onForgetPrompt }) {
    Object.assign(this, { onSetting, onKeepPrompt, onForgetPrompt });
    this.choice = element('select', { id: 'prompt-choice', class: 'select', on: { change: () => this.#chose(this.choice.value) } });
    this.text = element('textarea', {
      id: 'prompt-text', class: 'field prompt-text', rows: '7', 'aria-label': words.settings.prompt.text, 'aria-describedby': 'prompt-note',
      on: { input: () => onSetting('system_prompt', this.text.value) },
    });
    this.name = element('input', { class: 'field', type: 'text', maxlength: '60', autocomplete: 'off', 'aria-label': words.settings.prompt.name, placeholder: words.settings.prompt.name });
    this.keep = element('form', { class: 'setting-row', on: { submit: (event) => this.#keep(event) } }, this.name, element('button', { type: 'submit', class: 'button' }, words.settings.prompt.keep));
    this.forget = element('button', { type: 'button', class: 'link-button', on: { click: () => this.#forget() } }, words.settings.prompt.forget);
    this.node = element(
      'div', { class: 'setting' },
      element('label', { for: 'prompt-choice' }, words.settings.prompt.label),
      this.choice, this.text, this.#note, this.keep, this.forget,
    );
  }

  update({ text, prompts, serverPrompts, hasImages }) {
    this.#prompts = prompts;
    const choice = choiceOf(text, prompts);
    this.#offer(prompts, choice);
    this.#note.hidden = choice.kind === 'own' || choice.kind === 'kept';
    setText(this.#note, words.settings.prompt.notes[choice.kind]?.(hasImages) ?? '');
    this.keep.hidden = choice.kind !== 'own';
    this.forget.hidden = choice.kind !== 'kept';
    if (document.activeElement === this.text) return;
    const shown = effectivePrompt(text, serverPrompts, hasImages) ?? '';
    if (this.text.value !== shown) this.text.value = shown;
  }

  #offer(prompts, { kind, name }) {
    const { choices } = words.settings.prompt;
    const options = [
      ['server', choices.server], ['none', choices.none], ...prompts.map((one) => [KEPT + one.name, one.name]),
      ...(kind === 'own' ? [['own', choices.own]] : []),
    ];
    const offered = JSON.stringify(options);
    if (offered !== this.#offered) {
      this.#offered = offered;
      this.choice.replaceChildren(...options.map(([value, text]) => element('option', { value }, text)));
    }
    this.choice.value = kind === 'kept' ? KEPT + name : kind;
  }

  #chose(value) {
    if (value === 'server') this.onSetting('system_prompt', null);
    else if (value === 'none') this.onSetting('system_prompt', '');
    else if (value.startsWith(KEPT)) this.onSetting('system_prompt', this.#prompts.find((one) => KEPT + one.name === value).text);
  }

  #keep(event) {
    event.preventDefault();
    const name = this.name.value.trim();
    if (name === '') {
      this.name.focus();
      return;
    }
    this.onKeepPrompt({ name, text: this.text.value });
    this.name.value = '';
    this.choice.focus();
  }

  #forget() {
    this.onForgetPrompt(this.choice.value.slice(KEPT.length));
    this.choice.focus();
  }
}
