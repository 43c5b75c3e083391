/**
 * The sessions at the left of a wide page, or as a sheet over a narrow one that keeps the focus and gives it back; the same content in both.
 */
import * as words from '../../words/index.js';
import { element, setAttributes } from '../dom.js';
import { icon } from '../icons.js';
import { SessionList } from './list.js';

const WIDE = '(min-width: 60rem)';

export class SessionPanel {
  #wide = matchMedia(WIDE);

  /** `remembered` keeps whether the zone is open: {read, keep}. */
  constructor(on, remembered) {
    this.remembered = remembered;
    this.collapsed = remembered.read() === false;
    // What is opened from the sheet is under the sheet, and so is the way to bring back what was deleted.
    const closing = (act) => (...about) => { this.closeSheet(); act(...about); };
    this.list = new SessionList({ ...on, onOpenSession: closing(on.onOpenSession), onRemoveSession: closing(on.onRemoveSession) });
    this.#buildControls(on, closing);
    this.zone = element('nav', { id: 'sessions', class: 'sessions-zone', 'aria-label': words.sessions.heading, hidden: true });
    this.sheet = element('dialog', { id: 'sessions-sheet', class: 'sheet', 'aria-labelledby': 'sessions-heading' });
    this.toggle = element('button', {
      type: 'button', class: 'button quiet square', id: 'show-sessions', 'aria-label': words.sessions.show, title: words.sessions.show, on: { click: () => this.#toggle() },
    }, icon('list'));
    this.#wide.addEventListener('change', () => this.#place());
    this.#place();
  }

  update({ shelf, session }, now) {
    if (this.search.value !== shelf.query) this.search.value = shelf.query;
    this.list.update(shelf, session.id, now);
    this.backUp.hidden = shelf.sessions.length === 0;
  }

  closeSheet() {
    if (this.sheet.open) this.sheet.close();
  }

  #buildControls(on, closing) {
    this.search = element('input', {
      id: 'session-search', class: 'field', type: 'search', placeholder: words.sessions.search, 'aria-label': words.sessions.search, autocomplete: 'off',
      on: { input: () => on.onSearch(this.search.value) },
    });
    this.file = element('input', { class: 'visually-hidden', type: 'file', accept: '.json,application/json', tabindex: '-1', 'aria-label': words.sessions.restore, on: { change: () => this.#chosen(on) } });
    const quiet = (name, onClick) => element('button', { type: 'button', class: 'button quiet', on: { click: onClick } }, name);
    this.backUp = quiet(words.sessions.backUpAll, () => on.onBackUp(null));
    this.wipe = quiet(words.sessions.wipe, closing(on.onWipe));
    this.close = element('button', { type: 'button', class: 'button quiet square sheet-close', 'aria-label': words.sessions.close, on: { click: () => this.closeSheet() } }, icon('close'));
    this.content = element(
      'div', { class: 'sessions' },
      element('div', { class: 'sessions-top' }, element('h2', { id: 'sessions-heading', tabindex: '-1' }, words.sessions.heading), this.close),
      this.search, this.list.node,
      element('div', { class: 'sessions-foot' }, this.backUp, quiet(words.sessions.restore, () => this.file.click()), this.file, this.wipe),
    );
  }

  #place() {
    const wide = this.#wide.matches;
    if (wide) this.closeSheet();
    (wide ? this.zone : this.sheet).append(this.content);
    this.close.hidden = wide;
    this.zone.hidden = !wide || this.collapsed;
    setAttributes(this.toggle, { 'aria-expanded': wide ? String(!this.collapsed) : null, 'aria-haspopup': wide ? null : 'dialog', 'aria-controls': wide ? 'sessions' : null });
  }

  #toggle() {
    if (!this.#wide.matches) {
      this.sheet.showModal();
      return;
    }
    this.collapsed = !this.collapsed;
    this.remembered.keep(!this.collapsed);
    this.#place();
  }

  #chosen(on) {
    const [file] = this.file.files;
    // Otherwise choosing the same file again would be no change.
    this.file.value = '';
    if (!file) return;
    this.closeSheet();
    on.onRestore(file);
  }
}
