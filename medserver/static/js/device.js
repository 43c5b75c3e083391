/**
 * Small preferences that this device keeps, by name; nothing of a patient is ever among them.
 *
 * Where a browser forbids it they last as long as the page.
 */
const PREFIX = 'medserver.';

export class Device {
  #meanwhile = new Map();

  /** `storage` may throw at any touch, as in a private window. */
  constructor(storage) {
    this.storage = storage;
  }

  /** null where nothing was kept, or nothing that can be read. */
  read(name) {
    if (this.#meanwhile.has(name)) return this.#meanwhile.get(name);
    try {
      return JSON.parse(this.storage().getItem(PREFIX + name));
    } catch {
      return null;
    }
  }

  /** Whether it will outlast the page. */
  keep(name, value) {
    this.#meanwhile.set(name, value);
    try {
      this.storage().setItem(PREFIX + name, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }

  /** Everything this page ever kept here. */
  forget() {
    this.#meanwhile.clear();
    try {
      const names = Object.keys(this.storage()).filter((name) => name.startsWith(PREFIX));
      names.forEach((name) => this.storage().removeItem(name));
    } catch {
      // There was nothing to forget.
    }
  }
}
