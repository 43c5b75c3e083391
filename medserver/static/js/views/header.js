/**
 * The slim line at the top: which server and model this is, how it stands, and the way to a new session.
 */
import * as words from '../words/index.js';
import { element } from './dom.js';
import { Encryption } from './encryption.js';
import { icon } from './icons.js';
import { ModelChoice } from './model_choice.js';
import { Status } from './status.js';

export class Header {
  #status = new Status();

  /** `sessions` is the button that shows the sessions. */
  constructor({ onNewSession, onDownload, onSetting, onSettings }, sessions) {
    this.model = new ModelChoice({ onSetting });
    const newSession = element(
      'button', { type: 'button', class: 'button', id: 'new-session', 'aria-label': words.page.newSession, on: { click: onNewSession } },
      icon('plus'), element('span', { class: 'header-wide' }, words.page.newSession),
    );
    this.download = element(
      'button', { type: 'button', class: 'button', id: 'download', 'aria-label': words.page.download, title: words.page.download, hidden: true, on: { click: onDownload } },
      icon('download'),
    );
    const settings = element(
      'button', { type: 'button', class: 'button', id: 'open-settings', 'aria-label': words.settings.open, title: words.settings.open, on: { click: onSettings } }, icon('settings'),
    );
    this.node = element(
      'header', { class: 'header' },
      sessions, element('div', { class: 'header-title' }, element('h1', { class: 'header-name' }, words.page.name), this.model.node),
      element('div', { class: 'header-actions' }, new Encryption(location).node, this.#status.node, settings, this.download, newSession),
    );
  }

  update(standing, { health, turns, settings }) {
    this.model.update({ health, model: settings.model });
    this.download.hidden = turns.length === 0;
    this.#status.update(standing, health, settings.model, lastTimings(turns));
  }
}

/** Of the last answer that said how fast it was. */
function lastTimings(turns) {
  return turns.findLast((turn) => turn.ending?.timings)?.ending.timings ?? null;
}
