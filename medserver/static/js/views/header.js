/**
 * The slim line at the top: which server and model this is, how it stands, and the way to a new session.
 */
import * as words from '../words.js';
import { element } from './dom.js';
import { icon } from './icons.js';
import { ModelChoice } from './model_choice.js';
import { Status } from './status.js';

export class Header {
  #status = new Status();

  constructor({ onNewSession, onDownload, onModel }) {
    this.model = new ModelChoice({ onModel });
    const newSession = element(
      'button', { type: 'button', class: 'button', id: 'new-session', 'aria-label': words.page.newSession, on: { click: onNewSession } },
      icon('plus'), element('span', { class: 'header-wide' }, words.page.newSession),
    );
    this.download = element(
      'button', { type: 'button', class: 'button', id: 'download', 'aria-label': words.page.download, title: words.page.download, hidden: true, on: { click: onDownload } },
      icon('download'),
    );
    this.node = element(
      'header', { class: 'header' },
      element('div', { class: 'header-title' }, element('h1', { class: 'header-name' }, words.page.name), this.model.node),
      element('div', { class: 'header-actions' }, this.#status.node, this.download, newSession),
    );
  }

  update(standing, { health, turns, model }) {
    this.model.update({ health, model });
    this.download.hidden = turns.length === 0;
    this.#status.update(standing, health);
  }
}
