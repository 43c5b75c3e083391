/**
 * One session in the list: opened by its title, with its actions in a row that opens under it. Passes on which session is meant, and keeps to
 * itself only what is being typed as a new title.
 */
import * as words from '../../words/index.js';
import { element, setAttributes, setText } from '../dom.js';
import { icon, IconSlot } from '../icons.js';

export class SessionRow {
  #pin = new IconSlot();
  #title = element('span', { class: 'session-title' });
  #when = element('span', { class: 'session-when' });
  #excerpt = element('span', { class: 'session-excerpt', hidden: true });
  #shown = [];

  constructor({ id }, on) {
    Object.assign(this, { id, on });
    this.open = element('button', { type: 'button', class: 'session-open', on: { click: () => on.onOpenSession(id) } },
      element('span', { class: 'session-line' }, this.#pin.node, this.#title), this.#when, this.#excerpt);
    this.more = element('button', { type: 'button', class: 'button quiet square', 'aria-expanded': 'false', on: { click: () => this.#toggle() } }, icon('more'));
    this.actions = element('div', { class: 'session-actions', hidden: true });
    this.node = element('li', { class: 'session', on: { keydown: (event) => this.#pressed(event) } }, element('div', { class: 'session-head' }, this.open, this.more), this.actions);
  }

  update(session, { current, excerpt }) {
    const shown = [session, current, excerpt];
    if (shown.every((one, index) => one === this.#shown[index])) return;
    this.#shown = shown;
    this.session = session;
    const title = session.title || words.sessions.untitled;
    this.#pin.update(session.pinned ? 'pin' : null);
    setText(this.#title, title);
    setText(this.#when, words.sessions.changed(session.changed));
    this.#updatePin();
    setAttributes(this.open, { 'aria-current': current ? 'true' : null });
    setAttributes(this.more, { 'aria-label': words.sessions.actions(title), title: words.sessions.actions(title) });
    this.#excerpt.hidden = !excerpt;
    this.#excerpt.replaceChildren(...(excerpt ? [excerpt.before, element('mark', {}, excerpt.match), excerpt.after] : []));
  }

  /** Of hundreds of rows few are ever asked for them. */
  #buildActions() {
    const { id, on } = this;
    const quiet = (name, onClick) => element('button', { type: 'button', class: 'button quiet', on: { click: onClick } }, name);
    this.pin = quiet('', () => on.onPin(id, !this.session.pinned));
    this.actions.append(quiet(words.sessions.rename, () => this.#rename()), this.pin, quiet(words.sessions.backUp, () => on.onBackUp(id)),
      quiet(words.sessions.remove, () => on.onRemoveSession(id)));
    this.#updatePin();
  }

  #updatePin() {
    if (this.pin) setText(this.pin, this.session.pinned ? words.sessions.unpin : words.sessions.pin);
  }

  #toggle() {
    if (!this.pin) this.#buildActions();
    this.actions.hidden = !this.actions.hidden;
    setAttributes(this.more, { 'aria-expanded': String(!this.actions.hidden) });
  }

  #rename() {
    const field = element('input', { class: 'field', type: 'text', maxlength: '200', 'aria-label': words.sessions.title, autocomplete: 'off' });
    field.value = this.session.title;
    const done = () => {
      this.form.remove();
      this.form = null;
      this.actions.hidden = false;
      this.actions.firstElementChild.focus();
    };
    const save = (event) => {
      event.preventDefault();
      this.on.onRename(this.id, field.value);
      done();
    };
    this.form = element('form', { class: 'session-rename', on: { submit: save } }, field,
      element('button', { type: 'button', class: 'button', on: { click: done } }, words.sessions.cancel),
      element('button', { type: 'submit', class: 'button primary' }, words.sessions.save));
    this.cancelRename = done;
    this.actions.hidden = true;
    this.actions.after(this.form);
    field.select();
  }

  /** Esc closes the innermost thing, and only that. */
  #pressed(event) {
    if (event.key !== 'Escape' || (!this.form && this.actions.hidden)) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.form) {
      this.cancelRename();
      return;
    }
    this.#toggle();
    this.more.focus();
  }
}
