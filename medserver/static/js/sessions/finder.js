/**
 * Finds sessions while somebody types: waits for a pause, reads the messages once, and keeps what they say until the search is over or something
 * is kept anew. Does not know where the messages lie.
 */
import { shelved } from '../state.js';
import { found, SearchIndex } from './search.js';

const TYPING = 150;
const MESSAGES_AT_ONCE = 200;

export class Finder {
  #typing = null;
  #index = null;

  /** `read` gives all messages; `trying` runs a piece of work and says what went wrong. */
  constructor({ store, read, trying, clock }) {
    Object.assign(this, { store, read, trying, clock });
  }

  search(query) {
    const over = query.trim() === '';
    this.store.change(shelved({ query, ...(over && { found: null }) }));
    this.clock.clearTimeout(this.#typing);
    if (over) this.forget();
    else this.#typing = this.clock.setTimeout(() => this.trying(() => this.#look()), TYPING);
  }

  /** What was read may not be what is kept any more. */
  forget() {
    this.#index = null;
  }

  async #look() {
    const { query } = this.store.state.shelf;
    this.#index ??= this.#read();
    const index = await this.#index;
    const { shelf } = this.store.state;
    if (shelf.query === query) this.store.change(shelved({ found: found(query, shelf.sessions, index) }));
  }

  async #read() {
    try {
      return await this.#indexOf(await this.read());
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** A few messages at a time, so that what is being typed goes on. */
  async #indexOf(messages) {
    const index = new SearchIndex();
    for (let at = 0; at < messages.length; at += MESSAGES_AT_ONCE) {
      index.add(messages.slice(at, at + MESSAGES_AT_ONCE));
      await new Promise((done) => { this.clock.setTimeout(done, 0); });
    }
    return index;
  }
}
