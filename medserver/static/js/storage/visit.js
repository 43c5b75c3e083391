/**
 * What this tab remembers over a reload and no longer: its own name and which session it showed. A new tab begins with nothing of the last patient.
 *
 * A tab that is duplicated begins with a copy of all this, its name too, and a crash leaves it as it was. So a name is marked while a page goes by
 * it; who comes to a marked one goes by another until it is known whether the first is still there. Web Locks would tell, but only over https.
 */
const NAME = 'tab';
const IN_USE = 'tab-in-use';
const OPEN = 'open-session';
const PATIENCE = 3000;

export class Visit {
  #session;
  #inherited; // a name that another tab may still go by

  /** `storage` gives the browser's sessionStorage, which may be forbidden. */
  constructor(storage, newId) {
    this.storage = storage;
    const name = this.#read(NAME);
    this.#inherited = this.#read(IN_USE) === null ? null : name;
    this.tab = name === null || this.#inherited !== null ? newId() : name;
    this.#session = this.#read(OPEN);
    this.begin();
  }

  get session() {
    return this.#session;
  }

  set session(id) {
    this.#session = id;
    this.#write(OPEN, id);
  }

  /** Resolves once it is known by which name this tab goes: after a crash nobody answers to the one that it came with. */
  async claim(tabs, clock) {
    tabs.listen(({ kind, id }) => kind === 'whose' && id === this.tab && tabs.tell('taken', id));
    if (this.#inherited === null || await isTaken(this.#inherited, tabs, clock)) return;
    if (this.#inherited === null) return; // wiped meanwhile
    this.tab = this.#inherited;
    this.begin();
  }

  /** The page is there, or there again. */
  begin() {
    this.#write(NAME, this.tab);
    this.#write(IN_USE, 'yes');
  }

  /** The page goes, and who comes next in this tab is the same. */
  leave() {
    this.#write(IN_USE, null);
  }

  forget() {
    this.session = null;
    this.#inherited = null;
    this.#write(NAME, null);
    this.leave();
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

function isTaken(name, tabs, clock) {
  return new Promise((told) => {
    tabs.listen(({ kind, id }) => kind === 'taken' && id === name && told(true));
    clock.setTimeout(() => told(false), PATIENCE);
    tabs.tell('whose', name);
  });
}
