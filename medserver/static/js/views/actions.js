/**
 * The quiet row under a turn: step through its versions, copy, edit, ask again, download, delete. Shows which of them make sense and passes on
 * which is pressed; does not know what they do.
 */
import * as words from '../words/index.js';
import { element, setAttributes, setText } from './dom.js';
import { icon, IconSlot } from './icons.js';

const COPIED_FOR = 2500;

export class Actions {
  #copyIcon = new IconSlot();
  #count = element('span', { class: 'versions-count' });
  #spoken = element('span', { class: 'visually-hidden' });

  /** `act` holds onCopy, onEdit, onRegenerate, onDownload, onRemove, each without arguments, and onVersion with an id. */
  constructor(role, act) {
    this.#copyIcon.update('copy');
    const say = (text) => (typeof text === 'string' ? text : text[role]);
    const button = (content, name, onClick) => element(
      'button', { type: 'button', class: 'button quiet square', 'aria-label': say(name), title: say(name), on: { click: onClick } }, content,
    );
    this.earlier = button(icon('back'), words.turn.earlier, () => this.#step(-1, act.onVersion));
    this.later = button(icon('chevron'), words.turn.later, () => this.#step(1, act.onVersion));
    this.versions = element('div', { class: 'versions', role: 'group', 'aria-label': words.turn.versions, hidden: true }, this.earlier, this.#count, this.#spoken, this.later);
    this.copy = button(this.#copyIcon.node, words.turn.copy, () => this.#copied(act.onCopy()));
    this.edit = button(icon('pencil'), words.turn.edit, act.onEdit);
    this.again = button(icon('again'), role === 'user' ? words.turn.answer : words.turn.regenerate, act.onRegenerate);
    this.download = role === 'user' ? null : button(icon('download'), words.turn.download, act.onDownload);
    this.remove = button(icon('bin'), words.turn.remove, act.onRemove);
    this.node = element(
      'div', { class: 'turn-actions', role: 'group', 'aria-label': words.turn.actions[role], hidden: true },
      this.versions, this.copy, this.edit, this.again, this.download, this.remove,
    );
  }

  /** `versions` are all of this turn; `busy` while any reply is growing; `asks` whether there is something to ask again. */
  update(turn, { versions, busy, asks }) {
    this.node.hidden = turn.role === 'assistant' && turn.phase !== 'ended';
    this.ids = versions.map((one) => one.id);
    this.at = this.ids.indexOf(turn.id);
    this.versions.hidden = this.ids.length < 2;
    setText(this.#count, words.turn.version(this.at + 1, this.ids.length));
    setText(this.#spoken, words.turn.versionShown(this.at + 1, this.ids.length));
    setAttributes(this.#count, { 'aria-hidden': 'true' });
    // Disabled in a way that keeps the keyboard's place.
    setAttributes(this.earlier, { 'aria-disabled': busy || this.at === 0 ? 'true' : null });
    setAttributes(this.later, { 'aria-disabled': busy || this.at === this.ids.length - 1 ? 'true' : null });
    for (const one of [this.edit, this.again, this.remove]) setAttributes(one, { 'aria-disabled': busy ? 'true' : null });
    this.again.hidden = !asks;
    this.copy.hidden = turn.text === '';
    this.edit.hidden = turn.text === '';
    if (this.download) this.download.hidden = turn.text === '';
  }

  #step(by, onVersion) {
    const id = this.ids[this.at + by];
    if (id !== undefined) onVersion(id);
  }

  #copied(done) {
    if (!done) return;
    this.#copyIcon.update('check');
    setTimeout(() => this.#copyIcon.update('copy'), COPIED_FOR);
  }
}
