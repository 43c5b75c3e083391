/**
 * What somebody can do with the sessions on this device, each one verb: open, name, pin, find, delete, back up, restore, wipe. Keeps the tabs of
 * this page in step. Never sees the DOM.
 */
import { kept as conversationOf, replying } from '../conversation.js';
import { isEmpty } from '../draft.js';
import * as state from '../state.js';
import { backupParts, NoBackup, sessionsFrom } from '../storage/backup.js';
import * as records from '../storage/records.js';
import { troubleOf } from '../storage/trouble.js';
import { Finder } from './finder.js';
import { cleanTitle } from './title.js';

const LOOK_AGAIN = 2000;

export class Shelf {
  #removed = null;
  #opening = null;
  #finder;
  #looking = null;
  #joinLater = false;

  /** `restored` makes an image of a conversation from its record and its bytes; `base64` is storage/base64.js. */
  constructor({ store, session, recorder, drafts, archive, tabs, visit, restored, base64, now, clock, newId }) {
    Object.assign(this, { store, session, recorder, drafts, archive, tabs, visit, restored, base64, now, clock, newId });
    this.#finder = new Finder({ store, clock, read: () => archive.messages(), trying: (work) => this.#trying(work) });
  }

  /** The list, the session that this tab showed before it was loaded again, and what was typed in it. */
  async start() {
    this.tabs.listen((word) => this.#heard(word));
    this.store.addEventListener('change', () => this.#follow());
    const named = this.visit.claim(this.tabs, this.clock);
    const before = this.visit.session;
    await this.#trying(async () => {
      await this.#refresh();
      // Whoever has begun already is not interrupted.
      const isWelcome = () => isUntouched(this.store.state);
      if (before !== null && isWelcome()) await this.#open(before, isWelcome);
      await named;
      const draft = await this.drafts.read();
      const { session, draft: typed } = this.store.state;
      if (draft && draft.session === session.id && isEmpty(typed)) this.store.change(state.drafted(draft));
    });
  }

  open(id) {
    return this.#trying(() => this.#open(id));
  }

  rename(id, typed) {
    const title = cleanTitle(typed);
    return title === '' ? Promise.resolve() : this.#change(id, { title, named: true });
  }

  pin(id, pinned) {
    return this.#change(id, { pinned });
  }

  /** Gone at once; what it was is held until something else is done, so that it can be brought back. */
  remove(id) {
    return this.#trying(async () => {
      if (id === this.store.state.session.id) this.session.startNew();
      await this.recorder.flush();
      const removed = await this.archive.take(id);
      this.tabs.tell('removed', id);
      this.#unlist(id);
      if (!removed) return;
      this.#removed = removed;
      this.store.change(state.undoOffered({ kind: 'session', title: removed.session.title }));
    });
  }

  bringBack() {
    const removed = this.#removed;
    this.#removed = null;
    this.store.change(state.undone());
    return this.#trying(async () => {
      if (removed) await this.#put([removed]);
    });
  }

  search(query) {
    this.#finder.search(query);
  }

  /** A file of one session, or of all: {name, blob}, or null. */
  backUp(id = null) {
    return this.#trying(async () => {
      await this.recorder.flush();
      const ids = id === null ? this.store.state.shelf.sessions.map((one) => one.id) : [id];
      const parts = [];
      const { archive, base64, now } = this;
      for await (const part of backupParts(ids, { read: (one) => archive.read(one), base64Of: base64.base64Of, at: now() })) parts.push(new Blob([part]));
      return { name: `medserver-backup-${new Date(now()).toISOString().slice(0, 10)}.json`, blob: new Blob(parts, { type: 'application/json' }) };
    });
  }

  /** All of a file's sessions or none; those that are here already as they were are left alone. */
  restore(file) {
    return this.#trying(async () => {
      const all = sessionsFrom(await textOf(file), { newId: this.newId, blobOf: this.base64.blobOf });
      const here = new Map((await this.archive.list()).map((one) => [one.id, one.changed]));
      const fresh = all.filter(({ session }) => here.get(session.id) !== session.changed)
        .map((one) => (here.has(one.session.id) ? { ...one, session: { ...one.session, id: this.newId() } } : one));
      await this.#put(fresh);
      this.store.change(state.noticed(Object.freeze({ code: 'restored', amount: fresh.length, known: all.length - fresh.length })));
    });
  }

  /** What this page shows is gone in any case. */
  wipe() {
    this.#forgetAll();
    this.tabs.tell('wiped');
    return this.#trying(async () => {
      await Promise.all([this.recorder.flush(), this.drafts.forget()]);
      await this.archive.wipe();
      this.store.change(state.noticed(Object.freeze({ code: 'wiped' })));
    });
  }

  /** After a write of the open session. */
  listed({ id, title, pinned, changed }) {
    const others = this.store.state.shelf.sessions.filter((one) => one.id !== id);
    this.#show([...others, Object.freeze({ id, title, pinned, changed })].sort((a, b) => b.changed - a.changed));
    this.tabs.tell('changed', id);
  }

  /** After the last turn of a session was taken back. */
  unlisted(id) {
    this.#unlist(id);
    this.tabs.tell('removed', id);
  }

  /** A session that is open here was deleted by another tab. */
  lost(id) {
    if (this.store.state.session.id !== id) return;
    this.recorder.forget(() => this.session.startNew());
    this.store.change(state.noticed(Object.freeze({ code: 'deleted_elsewhere' })));
  }

  /** Of several that are asked for in a row the last one opens, and none over what somebody has begun meanwhile. */
  async #open(id, isWelcome = () => true) {
    const opening = {};
    this.#opening = opening;
    const { session } = this.store.state;
    await this.recorder.flush();
    const read = await this.archive.read(id);
    if (this.#opening !== opening || this.store.state.session !== session || !isWelcome()) return;
    if (!read) {
      this.#unlist(id);
      this.visit.session = null;
      return;
    }
    const kept = this.#keptOf(read, new Map());
    this.#adopt(read, kept, kept.settings);
    this.session.open(kept);
    this.#lookAgainIfGrowing();
  }

  #adopt({ messages }, { session, conversation: { chosen }, stored }, settings) {
    this.recorder.adopt(session.id, { messages, stored, fields: { ...session, chosen, settings } });
  }

  async #change(id, fields) {
    await this.#trying(async () => {
      await this.recorder.flush();
      const record = await this.archive.change(id, fields);
      if (this.store.state.session.id === id) this.store.change(state.sessionNamed(record));
      this.listed(record);
    });
  }

  async #put(several) {
    if (several.length > 0) await this.archive.put(several);
    await this.#refresh();
    several.forEach(({ session }) => this.tabs.tell('changed', session.id));
  }

  async #refresh() {
    const all = await this.archive.list();
    this.#show(all.map(({ id, title, pinned, changed }) => Object.freeze({ id, title, pinned, changed })));
  }

  #show(sessions) {
    this.#finder.forget();
    this.store.change(state.shelved({ sessions: Object.freeze(sessions) }));
  }

  #unlist(id) {
    const { sessions, found: hits } = this.store.state.shelf;
    this.store.change(state.shelved({ sessions: Object.freeze(sessions.filter((one) => one.id !== id)), found: hits?.filter((one) => one.id !== id) ?? null }));
  }

  #heard({ kind, id }) {
    const open = this.store.state.session.id === id;
    if (kind === 'stop' && open) this.session.stop();
    if (kind === 'removed') {
      this.#unlist(id);
      if (open) this.lost(id);
    }
    if (kind === 'changed') {
      this.#trying(() => this.#refresh());
      if (open) this.#trying(() => this.#join());
    }
    if (kind === 'wiped') {
      this.#forgetAll();
      this.store.change(state.noticed(Object.freeze({ code: 'wiped' })));
    }
  }

  /** What another tab has added to the session that is open here; what is written here only stays. */
  async #join() {
    const { session: { id } } = this.store.state;
    this.#joinLater = this.session.busy;
    if (this.#joinLater) return;
    await this.recorder.flush();
    const { conversation } = this.store.state;
    const read = await this.archive.read(id);
    const now = this.store.state;
    if (!read || now.session.id !== id || this.session.busy) return;
    // What was taken away here while it was read would come back.
    if (now.conversation !== conversation) {
      await this.#join();
      return;
    }
    const mine = new Map(now.conversation.all.map((turn) => [turn.id, turn]));
    const unwritten = now.conversation.all.filter((turn) => !this.recorder.knows(id, turn.id));
    const kept = this.#keptOf(read, mine, { unwritten, chosen: now.conversation.chosen });
    this.#adopt(read, kept, now.settings);
    this.store.change(state.joined(kept));
    this.#lookAgainIfGrowing();
  }

  /** A turn that is here already stays the same object, and so does its place on the page. */
  #keptOf(read, mine, { unwritten = [], chosen = {} } = {}) {
    const here = new Map([...mine.values()].flatMap((turn) => turn.images ?? []).map((image) => [image.id, image]));
    const imageOf = (image) => here.get(image.id) ?? this.restored(image, read.images.get(image.id));
    const kept = records.keptOf(read, imageOf, { tab: this.visit.tab, at: this.now() });
    const same = (turn) => (isSame(mine.get(turn.id), turn) ? mine.get(turn.id) : turn);
    const all = [...kept.conversation.all.map(same), ...unwritten];
    const seen = { ...kept.conversation.chosen, ...chosen };
    return { ...kept, stored: kept.stored.map(same), conversation: conversationOf(all, seen) };
  }

  /** While another tab follows a reply of this session: it says so each second, and when it no longer does, the reply was interrupted. */
  #lookAgainIfGrowing() {
    this.clock.clearTimeout(this.#looking);
    if (!replying(this.store.state.turns) || this.session.busy) return;
    this.#looking = this.clock.setTimeout(() => this.#trying(() => this.#join()), LOOK_AGAIN);
  }

  #follow() {
    const { session, conversation: { all } } = this.store.state;
    const open = all.length > 0 ? session.id : null;
    if (this.visit.session !== open) this.visit.session = open;
    if (this.#removed && this.store.state.undo?.kind !== 'session') this.#removed = null;
    if (this.#joinLater && !this.session.busy) {
      this.#joinLater = false;
      this.#trying(() => this.#join());
    }
  }

  #forgetAll() {
    this.#removed = null;
    this.#finder.search('');
    this.recorder.forget(() => this.session.startNew());
    this.drafts.forget();
    this.store.change(state.forgotten());
    this.visit.forget();
  }

  async #trying(work) {
    try {
      return await work();
    } catch (error) {
      const code = error instanceof NoBackup ? error.code : `storage_${troubleOf(error).code}`;
      this.store.change(state.noticed(Object.freeze({ code })));
      return null;
    }
  }
}

const isUntouched = ({ turns, draft }) => turns.length === 0 && isEmpty(draft);

/** A file can be gone, or longer than a text may be. */
async function textOf(file) {
  try {
    return await file.text();
  } catch {
    throw new NoBackup('unreadable_backup');
  }
}

const isSame = (mine, theirs) => mine !== undefined && JSON.stringify(bare(mine)) === JSON.stringify(bare(theirs));

const bare = (turn) => ({ ...turn, images: turn.images?.map(records.imageRecord) });
