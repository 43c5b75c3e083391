/**
 * What can be set: the system prompt and the numbers of this session, the looks of this device. Shows them and passes on what is chosen.
 *
 * A pane beside the conversation where there is room for it, else a sheet over the page that holds the focus and gives it back.
 */
import { boundsOf } from '../../settings/settings.js';
import { THEMES } from '../../settings/theme.js';
import * as words from '../../words/index.js';
import { element } from '../dom.js';
import { icon } from '../icons.js';
import { NumberSetting } from './number_setting.js';
import { PromptEditor } from './prompt_editor.js';

const NUMBERS = ['temperature', 'top_p', 'max_tokens', 'loop_guard'];
const WIDE = matchMedia('(min-width: 68rem)');

export class Settings {
  #opener = null;

  constructor(actions) {
    this.prompt = new PromptEditor(actions);
    this.numbers = NUMBERS.map((name) => new NumberSetting(name, actions));
    this.themes = THEMES.map((value) => element('input', { type: 'radio', name: 'theme', value, on: { change: () => actions.onTheme(value) } }));
    this.pairing = element('div', { class: 'setting', hidden: true }, element('p', { class: 'setting-hint' }, words.settings.paired),
      element('button', { type: 'button', class: 'button setting-button', on: { click: actions.onForget } }, words.settings.forget));
    this.node = element(
      'dialog', { id: 'settings', class: 'settings', 'aria-labelledby': 'settings-heading', on: { close: () => this.#closed(), keydown: (event) => this.#pressed(event) } },
      element(
        'div', { class: 'settings-head' },
        element('h2', { id: 'settings-heading', tabindex: '-1', autofocus: true }, words.settings.heading),
        element('button', { type: 'button', class: 'button quiet square', 'aria-label': words.settings.close, on: { click: () => this.close() } }, icon('close')),
      ),
      section(words.settings.ofSession, this.prompt.node, ...this.numbers.map((one) => one.node)),
      section(words.settings.ofDevice, this.#looks(), this.pairing),
    );
    // What fits beside the conversation does not fit over it, and the other way round.
    WIDE.addEventListener('change', () => this.close());
  }

  get isOpen() {
    return this.node.open;
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  open() {
    this.#opener = document.activeElement;
    if (WIDE.matches) this.node.show();
    else this.node.showModal();
  }

  close() {
    this.node.close();
  }

  update({ settings, health, preferences: { prompts, theme }, serverPrompts, paired }, hasImages) {
    this.pairing.hidden = !paired;
    this.prompt.update({ text: settings.system_prompt, prompts, serverPrompts, hasImages });
    const bounds = health ? boundsOf(health) : null;
    this.numbers.forEach((one) => bounds && one.update(settings[one.name], bounds[one.name]));
    for (const radio of this.themes) radio.checked = radio.value === theme;
  }

  #looks() {
    const choices = this.themes.map((radio) => element('label', { class: 'choice' }, radio, words.settings.themes[radio.value]));
    return element('fieldset', { class: 'setting choices' }, element('legend', {}, words.settings.theme), ...choices);
  }

  /** A sheet closes on Esc by itself; a pane that is not modal does not. */
  #pressed(event) {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  #closed() {
    if (this.node.contains(document.activeElement) || document.activeElement === document.body) this.#opener?.focus();
    this.#opener = null;
  }
}

function section(heading, ...children) {
  return element('section', { class: 'settings-section' }, element('h3', {}, heading), ...children);
}
