/**
 * What somebody can do on this page, each one verb; changes the state and talks to the server, and never sees the DOM.
 */
import { isEmptyReply, lastReply, replying } from './conversation.js';
import * as ending from './ending.js';
import { problemsOf } from './limits.js';
import { unreadableImage } from './refusal.js';
import { chatRequest, imagesIn } from './request.js';
import * as state from './state.js';

const blocked = (code, details = {}) => Object.freeze({ code, ...details });

export class Session {
  #abort = null;
  #lastId = 0;

  /** `images` makes, reads and forgets images; `filesOf` fetches those of a sample; `follow` asks for one reply; `onUnreachable` is told when nobody answered. */
  constructor({ store, images, filesOf, follow, now, onUnreachable }) {
    Object.assign(this, { store, images, filesOf, follow, now, onUnreachable });
  }

  type(text) {
    this.store.change(state.typed(text));
  }

  chooseThinking(thinking) {
    this.store.change(state.thinkingChosen(thinking));
  }

  chooseModel(model) {
    this.store.change(state.modelChosen(model));
  }

  addFiles(files) {
    const { accepted, rejected } = this.images.sortFiles(files);
    if (accepted.length > 0) {
      this.store.change(state.imagesAdded(accepted.map((file) => this.images.imageOf(file, this.#nextId()))));
    }
    const names = rejected.map((file) => file.name);
    if (names.length > 0) this.store.change(state.noticed(blocked('unknown_image_type', { names })));
  }

  /** Into the message box, in place of what stands there; what cannot be had is said. */
  async trySample(sample) {
    let files;
    try {
      files = await this.filesOf(sample);
    } catch {
      this.store.change(state.noticed(blocked('no_sample', { ofDraft: true })));
      return;
    }
    this.store.state.draft.images.forEach((image) => this.removeImage(image.id));
    this.type(sample.text);
    this.addFiles(files);
  }

  removeImage(id) {
    const image = this.store.state.draft.images.find((one) => one.id === id);
    if (!image) return;
    this.store.change(state.imageRemoved(id));
    this.images.forget(image);
  }

  dismissNotice() {
    this.store.change(state.noticed(null));
  }

  /** Resolves when the reply has ended, at once if nothing could be sent. */
  send() {
    const before = this.store.state;
    const { text, images } = before.draft;
    if (text.trim() === '' && images.length === 0) return Promise.resolve();
    const obstacle = obstacleTo(before);
    if (obstacle) return Promise.resolve(this.store.change(state.noticed(obstacle)));
    this.store.change(state.asked([this.#nextId(), this.#nextId()]));
    return this.#follow();
  }

  /** For a last reply that did not end well. */
  tryAgain() {
    const { turns, health } = this.store.state;
    const reply = lastReply(turns);
    if (!reply?.ending || !ending.isIncomplete(reply.ending)) return Promise.resolve();
    if (health?.status === 'loading') return Promise.resolve(this.store.change(state.noticed(blocked('loading'))));
    this.store.change(state.askedAgain(this.#nextId()));
    return this.#follow();
  }

  stop() {
    this.#abort?.abort();
  }

  startNew() {
    const { turns, draft } = this.store.state;
    const abandoned = this.#abort;
    this.#abort = null;
    this.store.change(state.cleared());
    abandoned?.abort();
    [...imagesIn(turns), ...draft.images].forEach(this.images.forget);
  }

  async #follow() {
    const abort = new AbortController();
    this.#abort = abort;
    const mine = () => this.#abort === abort;
    const verdict = await this.#ask(abort, (event) => mine() && this.store.change(state.received(event, this.now())));
    // After "New session" the state belongs to another conversation.
    if (!mine()) return;
    this.#abort = null;
    this.#conclude(verdict);
  }

  async #ask(abort, onEvent) {
    const { turns, thinking, model } = this.store.state;
    const addresses = new Map();
    for (const image of imagesIn(turns)) {
      try {
        addresses.set(image.id, await this.images.dataAddress(image));
      } catch {
        return ending.byRefusal(unreadableImage(image.name));
      }
    }
    if (abort.signal.aborted) return ending.byReader();
    const body = chatRequest(turns, { thinking, model, addressOf: (image) => addresses.get(image.id) });
    return this.follow({ body, signal: abort.signal, onEvent });
  }

  #conclude(verdict) {
    if (verdict.kind === 'refused') {
      this.store.change(state.handedBack(verdict.refusal));
      if (verdict.refusal.code === 'unreachable') this.onUnreachable();
      return;
    }
    if (verdict.kind === 'failed' && isEmptyReply(lastReply(this.store.state.turns))) {
      this.store.change(state.handedBack(blocked(verdict.code, { sentence: verdict.sentence })));
      return;
    }
    this.store.change(state.ended(verdict, this.now()));
  }

  #nextId() {
    this.#lastId += 1;
    return this.#lastId;
  }
}

/** Why sending is of no use just now, or null. */
function obstacleTo({ draft, turns, health }) {
  if (replying(turns)) return blocked('already_replying');
  if (health?.status === 'loading') return blocked('loading');
  if (draft.text.trim() === '') return blocked('no_text', { ofDraft: true });
  const [problem] = problemsOf(draft, turns, health);
  return problem ? blocked(problem.code, { ...problem, ofDraft: true }) : null;
}
