/**
 * Keeps what is typed and not sent, with its images, for this tab alone, so that a reload does not lose it; a session that is left takes it along.
 *
 * Another tab never reads it: whoever comes next to a shared device begins with nothing of the last patient.
 */
import { isEmpty } from '../draft.js';
import { keeping } from '../state.js';
import { imageRecord } from './records.js';
import { troubleOf } from './trouble.js';

const TYPING = 300;
const ABANDONED = 24 * 60 * 60 * 1000;

export class Drafts {
  #last;
  #kept = false; // something lies in the archive
  #timer = null;
  #work = Promise.resolve();
  #era = 0;

  /** `restored` makes an image of a conversation from its record and its bytes. */
  constructor({ store, archive, visit, restored, now, clock }) {
    Object.assign(this, { store, archive, visit, restored, now, clock });
    this.#last = store.state;
    store.addEventListener('change', () => this.#changed());
  }

  /** {session, text, images} as it was before the reload, or null. Those that other tabs left behind long ago go. */
  async read() {
    await this.archive.dropDrafts(this.now() - ABANDONED);
    const found = await this.archive.draft(this.visit.tab);
    if (!found) return null;
    const { session, text, images } = found.draft;
    this.#kept = true;
    return { session, text, images: images.map((image) => this.restored(image, found.images.get(image.id))) };
  }

  /** Resolves when what is typed by now is kept, or when that has failed and was said. */
  flush() {
    this.clock.clearTimeout(this.#timer);
    this.#timer = null;
    const era = this.#era;
    this.#work = this.#work.then(() => era === this.#era && this.#write(this.store.state));
    return this.#work;
  }

  /** After this device was wiped: nothing waits to be written any more. */
  forget() {
    this.#era += 1;
    this.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#kept = false;
    this.#last = this.store.state;
    return this.#work;
  }

  #changed() {
    const { draft, session } = this.store.state;
    if (draft === this.#last.draft && session.id === this.#last.session.id) return;
    this.#last = this.store.state;
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(() => this.flush(), isEmpty(draft) ? 0 : TYPING);
  }

  async #write({ draft, session }) {
    try {
      if (isEmpty(draft)) await this.#drop();
      else await this.#keep(draft, session.id);
      this.store.change(keeping('draft', null));
    } catch (error) {
      this.store.change(keeping('draft', troubleOf(error)));
    }
  }

  async #drop() {
    if (!this.#kept) return;
    await this.archive.dropDraft(this.visit.tab);
    this.#kept = false;
  }

  async #keep({ text, images }, session) {
    this.#kept = true;
    const draft = { tab: this.visit.tab, session, text, images: images.map(imageRecord), at: this.now() };
    await this.archive.keepDraft(draft, images.map(({ id, file }) => ({ id, blob: file })));
  }
}
