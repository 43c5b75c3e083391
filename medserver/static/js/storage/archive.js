/**
 * The sessions on this device: listed, read, written, taken away. Everything that belongs together is one transaction. It knows records, not
 * the conversation they are made of.
 */
import { deleteDatabase, openDatabase } from './database.js';
import { Blocked, Gone } from './trouble.js';

const STORES = ['sessions', 'messages', 'images'];
const DRAFT = ['drafts', 'images'];
const PATIENCE = 4000;

export class Archive {
  #opening = null;

  /** Every session without its messages, the newest first. */
  async list() {
    const database = await this.#open();
    return (await database.getAll('sessions')).sort((a, b) => b.changed - a.changed);
  }

  /** {session, messages, images: Map of id → blob}, or null. */
  async read(id) {
    const transaction = (await this.#open()).transaction(STORES);
    return recordsOf(transaction, id);
  }

  /** Every message of every session, for the search; no image is touched. */
  async messages() {
    return (await this.#open()).getAll('messages');
  }

  /**
   * Adds to a session what it is given and nothing else, so that two tabs add up. `begins`: it may not be there yet; otherwise it was deleted
   * meanwhile, and is not brought back by a late word: throws `Gone`. That a reply was interrupted is only a guess of who does not follow it,
   * and gives way to an end that is known. Resolves to the session as it is now.
   */
  async write(id, { begins, session, messages, images, drop }) {
    const transaction = (await this.#open()).transaction(STORES, 'readwrite');
    const stores = named(transaction);
    const before = await stores.sessions.get(id);
    if (!before && !begins) throw await undone(transaction, new Gone());
    const known = await ended(stores.messages, messages.filter((message) => message.ending?.kind === 'interrupted'));
    // One that was handed back to the message box is the draft's.
    const mine = drop.images.length > 0 ? await keysOf(stores.images, id) : [];
    const now = { ...before, ...session, id, revision: (before?.revision ?? 0) + 1 };
    return finished(transaction, now, () => [
      stores.sessions.put(now),
      ...messages.filter((message) => !known.has(message.id)).map((message) => stores.messages.put({ ...message, session: id })),
      ...images.map((image) => stores.images.put({ ...image, session: id })),
      ...drop.messages.map((one) => stores.messages.delete(one)),
      ...drop.images.filter((one) => mine.includes(one)).map((one) => stores.images.delete(one)),
    ]);
  }

  /** A new name or pin; resolves to the session as it is now. */
  change(id, fields) {
    return this.write(id, { begins: false, session: fields, messages: [], images: [], drop: { messages: [], images: [] } });
  }

  /** Takes a session away and hands back all that it was, or null. */
  async take(id) {
    const transaction = (await this.#open()).transaction(STORES, 'readwrite');
    const records = await recordsOf(transaction, id);
    if (!records) return null;
    const stores = named(transaction);
    return finished(transaction, records, () => [
      stores.sessions.delete(id),
      ...records.messages.map((one) => stores.messages.delete(one.id)),
      ...[...records.images.keys()].map((one) => stores.images.delete(one)),
    ]);
  }

  /** Whole sessions, all of them or none. */
  async put(several) {
    const transaction = (await this.#open()).transaction(STORES, 'readwrite');
    const stores = named(transaction);
    return finished(transaction, several.length, () => several.flatMap(({ session, messages, images }) => [
      stores.sessions.put(session),
      ...messages.map((message) => stores.messages.put({ ...message, session: session.id })),
      ...[...images].map(([id, blob]) => stores.images.put({ id, session: session.id, blob })),
    ]));
  }

  /** What a tab had not sent: {draft, images: Map of id → blob}, or null. */
  async draft(tab) {
    const { drafts, images } = named((await this.#open()).transaction(DRAFT));
    const [draft, blobs] = await Promise.all([drafts.get(tab), images.index('session').getAll(tab)]);
    const held = new Map(blobs.map((image) => [image.id, image.blob]));
    return draft && draft.images.every((image) => held.has(image.id)) ? { draft, images: held } : null;
  }

  /** `blobs` are {id, blob} of its images; those that lie here already are not written again. */
  async keepDraft(draft, blobs) {
    const transaction = (await this.#open()).transaction(DRAFT, 'readwrite');
    const { drafts, images } = named(transaction);
    const here = await keysOf(images, draft.tab);
    const wanted = new Set(blobs.map((image) => image.id));
    return finished(transaction, draft, () => [
      drafts.put(draft),
      ...blobs.filter(({ id }) => !here.includes(id)).map((image) => images.put({ ...image, session: draft.tab })),
      ...here.filter((id) => !wanted.has(id)).map((id) => images.delete(id)),
    ]);
  }

  /** An image that was sent meanwhile is its session's, and stays. */
  async dropDraft(tab) {
    const transaction = (await this.#open()).transaction(DRAFT, 'readwrite');
    const { drafts, images } = named(transaction);
    const here = await keysOf(images, tab);
    return finished(transaction, tab, () => [drafts.delete(tab), ...here.map((id) => images.delete(id))]);
  }

  /** Those that nobody has come back to since `before`. */
  async dropDrafts(before) {
    const abandoned = (await (await this.#open()).getAll('drafts')).filter((one) => one.at < before);
    await Promise.all(abandoned.map(({ tab }) => this.dropDraft(tab)));
  }

  /** The whole database goes. Throws `Blocked` where another tab does not let go of it. */
  async wipe() {
    const opened = await this.#opening?.catch(() => null);
    opened?.close();
    this.#opening = null;
    await patiently((onBlocked) => deleteDatabase({ onBlocked }));
  }

  #open() {
    this.#opening ??= this.#openNow().catch((error) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  #openNow() {
    const onGone = () => { this.#opening = null; };
    return patiently((onBlocked) => openDatabase({ onBlocked, onGone }));
  }
}

async function recordsOf(transaction, id) {
  const stores = named(transaction);
  const [session, messages, images] = await Promise.all([
    stores.sessions.get(id), stores.messages.index('session').getAll(id), stores.images.index('session').getAll(id),
  ]);
  if (!session) return null;
  // Two tabs that do not hear each other give the same places.
  messages.sort((a, b) => a.place - b.place || a.at - b.at);
  return { session, messages, images: new Map(images.map((image) => [image.id, image.blob])) };
}

/** Of the images of a session, or of the draft of a tab. */
const keysOf = (images, owner) => images.index('session').getAllKeys(owner);

async function ended(store, messages) {
  const stored = await Promise.all(messages.map((message) => store.get(message.id)));
  return new Set(stored.filter((message) => message?.phase === 'ended').map((message) => message.id));
}

const named = (transaction) => Object.fromEntries([...transaction.objectStoreNames].map((name) => [name, transaction.objectStore(name)]));

/** The first request that fails says why; the transaction only that it was aborted. */
async function finished(transaction, result, requests) {
  try {
    await Promise.all(requests());
    await transaction.done;
  } catch (error) {
    throw await undone(transaction, error);
  }
  return result;
}

async function undone(transaction, error) {
  const over = transaction.done.catch((inner) => inner);
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
  const inner = await over;
  return error.name === 'AbortError' && inner instanceof Error ? inner : error;
}

/** Other tabs are asked to let go; what they hold on to for longer is said. */
async function patiently(work) {
  let timer;
  let onBlocked;
  const blocked = new Promise((_, reject) => {
    onBlocked = () => { timer = setTimeout(() => reject(new Blocked()), PATIENCE); };
  });
  try {
    return await Promise.race([work(onBlocked), blocked]);
  } finally {
    clearTimeout(timer);
  }
}
