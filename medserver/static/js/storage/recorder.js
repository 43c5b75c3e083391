/**
 * Keeps the open session on this device as it changes: each turn when it is made or changed, a growing reply every second; does not know who
 * changes it. What could not be written is said in the state and tried again with the next change; the chat goes on.
 */
import { keeping } from '../state.js';
import { messageOf } from './records.js';
import { Gone, troubleOf } from './trouble.js';

const WHILE_GROWING = 1000;

const nothing = () => ({ begun: false, turns: new Map(), places: new Map(), images: new Set(), fields: {} });

export class Recorder {
  #kept = new Map(); // of each session that is being written: what of it lies in the archive
  #last;
  #timer = null;
  #work = Promise.resolve();
  #era = 0;
  #silent = false;

  /** `onKept` is told the session's record after a write, `onRemoved` its id when its last turn was taken back, `onGone` when it was deleted elsewhere. */
  constructor({ store, archive, visit, now, clock, onKept, onRemoved, onGone }) {
    Object.assign(this, { store, archive, visit, now, clock, onKept, onRemoved, onGone });
    this.#last = store.state;
    store.addEventListener('change', () => this.#changed());
  }

  /** What is being opened lies there already; `fields` as this page holds them, so that only what somebody does here is written. */
  adopt(id, { stored, messages, fields }) {
    const images = new Set(stored.flatMap((turn) => turn.images ?? []).map((image) => image.id));
    const places = new Map(messages.map((message) => [message.id, message.place]));
    this.#kept.set(id, { begun: true, turns: new Map(stored.map((turn) => [turn.id, turn])), places, images, fields: fieldsOf(fields) });
  }

  /** Whether this turn of the open session has been written, whatever has become of it. */
  knows(id, turn) {
    return this.#kept.get(id)?.turns.has(turn) ?? false;
  }

  /** After a session was taken away nothing of it is written again: neither what waits to be, nor what `leave` changes in the state. */
  forget(leave = () => {}) {
    this.#era += 1;
    this.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#silent = true;
    leave();
    this.#silent = false;
    this.#kept.clear();
    this.#last = this.store.state;
  }

  /** Writes what is not written yet; resolves when it is, or when that has failed and was said. */
  flush() {
    this.clock.clearTimeout(this.#timer);
    this.#timer = null;
    const state = this.#last;
    const era = this.#era;
    this.#work = this.#work.then(() => era === this.#era && this.#write(state));
    return this.#work;
  }

  #changed() {
    const { state } = this.store;
    const before = this.#last;
    if (this.#silent || isSame(before, state)) return;
    if (before.session.id !== state.session.id) this.#leave(before.session.id);
    this.#last = state;
    if (!growsOnly(before, state)) this.flush();
    else this.#timer ??= this.clock.setTimeout(() => this.flush(), WHILE_GROWING);
  }

  #leave(id) {
    const done = this.flush();
    done.then(() => this.#last.session.id === id || this.#kept.delete(id));
  }

  async #write(state) {
    const { session: { id }, conversation: { all } } = state;
    try {
      if (all.length > 0) await this.#add(state);
      else if (this.#kept.get(id)?.begun) await this.#takeBack(id);
      this.store.change(keeping('session', null));
    } catch (error) {
      if (error instanceof Gone) this.onGone(id);
      else this.store.change(keeping('session', troubleOf(error)));
    }
  }

  async #takeBack(id) {
    await this.archive.take(id);
    this.#kept.delete(id);
    this.onRemoved(id);
  }

  async #add(state) {
    const { id } = state.session;
    const kept = this.#kept.get(id) ?? nothing();
    const difference = differenceOf(state, kept, { writer: this.visit.tab, at: this.now() });
    if (!difference) return;
    const record = await this.archive.write(id, { begins: !kept.begun, ...difference.writing });
    this.#kept.set(id, difference.kept);
    this.onKept(record);
  }
}

const fieldsOf = ({ title, named, pinned, created, chosen, settings }) => ({ title, named, pinned, created, chosen, settings });

const isSame = (a, b) => a.session === b.session && a.conversation === b.conversation && a.settings === b.settings;

/** Only the text of one reply has become longer. */
function growsOnly(before, { session, conversation: { all, chosen } }) {
  const { all: earlier } = before.conversation;
  if (session !== before.session || earlier.length !== all.length || before.conversation.chosen !== chosen) return false;
  const changed = all.filter((turn, index) => turn !== earlier[index]);
  return changed.length === 1 && changed[0].role === 'assistant' && changed[0].phase !== 'ended';
}

/** What the archive does not have yet, and what it will have then; null where nothing differs. */
function differenceOf({ session, conversation: { all, chosen }, settings }, kept, { writer, at }) {
  const fields = fieldsOf({ ...session, chosen, settings });
  const newFields = Object.entries(fields).filter(([name, value]) => JSON.stringify(kept.fields[name]) !== JSON.stringify(value));
  const turns = all.filter((turn) => kept.turns.get(turn.id) !== turn);
  const images = new Map(all.flatMap((turn) => turn.images ?? []).map((image) => [image.id, image]));
  const ids = new Set(all.map((turn) => turn.id));
  const drop = {
    messages: [...kept.turns.keys()].filter((one) => !ids.has(one)),
    images: [...kept.images].filter((one) => !images.has(one)),
  };
  if (newFields.length + turns.length + drop.messages.length === 0) return null;
  const places = placesOf(all, kept.places);
  const writing = {
    session: { ...Object.fromEntries(newFields), ...(turns.length > 0 && { changed: at }) },
    messages: turns.map((turn) => messageOf(turn, { place: places.get(turn.id), writer, at })),
    images: [...images.values()].filter((image) => !kept.images.has(image.id)).map(({ id, file }) => ({ id, blob: file })),
    drop,
  };
  const after = { begun: true, turns: new Map(all.map((turn) => [turn.id, turn])), places, images: new Set(images.keys()), fields };
  return { writing, kept: after };
}

/** A place never changes, and a new one comes after all that were given: parents stand before what followed them. */
function placesOf(all, given) {
  let last = Math.max(-1, ...given.values());
  return new Map(all.map(({ id }) => [id, given.get(id) ?? (last += 1)]));
}
