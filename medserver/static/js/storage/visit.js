/**
 * What this tab remembers over a reload and no longer: its own name and which session it showed. A new tab begins with nothing of the last patient.
 */
const NAME = 'tab';
const OPEN = 'open-session';

export class Visit {
  #session;

  /** `storage` gives the browser's sessionStorage, which may be forbidden. */
  constructor(storage, newId) {
    this.storage = storage;
    this.tab = this.#read(NAME) ?? newId();
    this.#write(NAME, this.tab);
    this.#session = this.#read(OPEN);
  }

  get session() {
    return this.#session;
  }

  set session(id) {
    this.#session = id;
    this.#write(OPEN, id);
  }

  forget() {
    this.session = null;
    this.#write(NAME, null);
  }

  #read(name) {
    try {
      return this.storage().getItem(name);
    } catch {
      return null;
    }
  }

  #write(name, value) {
    try {
      if (value === null) this.storage().removeItem(name);
      else this.storage().setItem(name, value);
    } catch {
      // Then a reload begins with a new session; the sessions themselves are kept elsewhere.
    }
  }
}
