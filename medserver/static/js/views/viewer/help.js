/**
 * The sheet of keys and gestures of the viewer, made from the keys themselves so that it cannot lag behind them.
 */
import { KEYS } from '../../viewer/keys.js';
import * as words from '../../words/index.js';
import { element } from '../dom.js';

export class Help {
  constructor() {
    const { heading, keys, gestures, linear } = words.viewer.help;
    this.node = element(
      'dialog', { class: 'dialog viewer-help', 'aria-labelledby': 'viewer-help-heading' },
      element('h2', { id: 'viewer-help-heading', tabindex: '-1', autofocus: true }, heading),
      element('p', {}, keys),
      element(
        'dl', { class: 'viewer-keys' },
        ...gestures.map(([gesture, does]) => line([gesture], does)),
        ...[...new Set(KEYS.map(nameOf))].map((name) => line(keyNames(name), name)),
      ),
      element('p', { class: 'viewer-small' }, linear),
      element('div', { class: 'dialog-row' }, element('button', { type: 'button', class: 'button', on: { click: () => this.node.close() } }, words.page.close)),
    );
  }

  open() {
    this.node.showModal();
  }
}

const line = (parts, does) => element('div', {}, element('dt', {}, ...parts), element('dd', {}, does));

/** Every key that does what has this name. */
function keyNames(name) {
  const keys = KEYS.filter((row) => nameOf(row) === name).flatMap((row) => row.keys);
  return keys.map((key) => element('kbd', {}, keyName(key)));
}

function keyName(key) {
  const { names, shift } = words.viewer.help;
  const bare = key.replace('Shift+', '');
  return [bare === key ? null : shift, names[bare] ?? bare].filter(Boolean).join(' ');
}

function nameOf({ verb, by }) {
  if (verb === 'preset') return words.viewer.help.presetKey(words.viewer.presets[by]);
  if (verb === 'chooseTool') return words.viewer.verbs[by === 'move' ? 'chooseMove' : 'chooseWindow'];
  return words.viewer.verbs[verb];
}
