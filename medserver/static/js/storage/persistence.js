/**
 * Asks the browser, once something is kept, not to throw it away when the disk becomes tight; plain http has nobody to ask.
 */
export class Persistence {
  #asked = false;

  /** `storage` gives navigator.storage, or undefined. */
  constructor(storage) {
    this.storage = storage;
  }

  ask() {
    if (this.#asked) return;
    this.#asked = true;
    this.storage()?.persist?.().catch(() => {}); // then it is kept for as long as there is room
  }
}
