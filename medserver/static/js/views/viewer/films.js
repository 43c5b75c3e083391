/**
 * Decodes each image once and lets go of it when it is no longer wanted; does not know who shows it.
 */
import { filmOf } from './film.js';

export class Films {
  #entries = new Map(); // id → {film, unreadable, wanted}

  /** `onChange` is told when one is ready, or turned out not to be readable. */
  constructor({ onChange }) {
    this.onChange = onChange;
  }

  /** {film, unreadable} of an image that is wanted; both empty while it is being decoded. */
  of(id) {
    return this.#entries.get(id) ?? { film: null, unreadable: false };
  }

  /** These images and no others. */
  want(images) {
    const wanted = new Set(images.map((image) => image.id));
    for (const [id, entry] of this.#entries) {
      if (wanted.has(id)) continue;
      this.#entries.delete(id);
      entry.film?.close();
    }
    for (const image of images) if (!this.#entries.has(image.id)) this.#decode(image);
  }

  async #decode(image) {
    const entry = { film: null, unreadable: false };
    this.#entries.set(image.id, entry);
    try {
      entry.film = await filmOf(image);
    } catch {
      entry.unreadable = true;
    }
    // It may have been let go of meanwhile, and even been wanted again.
    if (this.#entries.get(image.id) !== entry) entry.film?.close();
    else this.onChange();
  }
}
