/**
 * Window and level as numbers, and presets of them; passes on what is chosen, and never writes over what is being typed.
 */
import { MOST_WIDTH, presetOf, PRESETS, shownWindow } from '../../viewer/windowing.js';
import * as words from '../../words/index.js';
import { element, setAttributes } from '../dom.js';

export class WindowFields {
  constructor({ onVerb }) {
    const names = words.viewer.presets;
    this.own = element('option', { value: 'own', disabled: true }, names.own);
    this.preset = element(
      'select', { class: 'select viewer-preset', 'aria-label': words.viewer.preset, on: { change: () => this.#chosen(onVerb) } },
      ...[...Object.keys(PRESETS), 'auto'].map((value) => element('option', { value }, names[value])), this.own,
    );
    this.width = this.#field('width', { min: '1', max: String(MOST_WIDTH) }, onVerb);
    this.level = this.#field('level', { min: '0', max: '255' }, onVerb);
    this.nodes = [this.preset, this.width.parentElement, this.level.parentElement];
  }

  update(window) {
    const { width, level } = shownWindow(window);
    this.preset.value = presetOf(window) ?? 'own';
    this.#show(this.width, width);
    this.#show(this.level, level);
  }

  #field(name, range, onVerb) {
    const field = element('input', {
      type: 'number', class: 'viewer-number', step: '1', inputmode: 'numeric', ...range,
      on: { input: () => field.value !== '' && field.validity.valid && onVerb('setWindow', { [name]: field.valueAsNumber }), blur: () => this.#settle(field) },
    });
    element('label', { class: 'viewer-field' }, element('span', {}, words.viewer[name]), field);
    return field;
  }

  #show(field, value) {
    field.dataset.value = value;
    setAttributes(field, { 'aria-invalid': null });
    if (document.activeElement !== field || (field.validity.valid && field.value !== '')) field.value = value;
  }

  /** What was left half written becomes what is applied. */
  #settle(field) {
    field.value = field.dataset.value;
  }

  #chosen(onVerb) {
    if (this.preset.value === 'auto') onVerb('autoWindow');
    else onVerb('preset', this.preset.value);
  }
}
