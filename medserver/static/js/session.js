/**
 * What somebody can do in the session that is open, each one verb; changes the state and talks to the server, and never sees the DOM.
 */
import * as conversation from './conversation.js';
import * as ending from './ending.js';
import { obstacle, obstacleToAny, obstacleToRewriting, obstacleToSending } from './obstacles.js';
import { unreadableImage } from './refusal.js';
import { repeatsIn } from './repeats.js';
import { chatRequest, imagesIn, originOf } from './request.js';
import { allowed } from './settings/settings.js';
import * as state from './state.js';

/** Nobody answered, there is no model now, or an answer broke off: the server may not be as it was. */
const isTrouble = ({ kind, refusal }) => ['failed', 'interrupted'].includes(kind)
  || (kind === 'refused' && (refusal.code === 'unreachable' || refusal.status === 503));

export class Session {
  #abort = null;

  /**
   * `images` makes and reads images; `filesOf` fetches those of a sample; `follow` asks for one reply; `newId` names what is new;
   * `onTrouble` is told when the server may not be as it was.
   */
  constructor({ store, images, filesOf, follow, now, newId, onTrouble }) {
    Object.assign(this, { store, images, filesOf, follow, now, newId, onTrouble });
  }

  /** A reply is being followed by this page. */
  get busy() {
    return this.#abort !== null;
  }

  type(text) {
    this.store.change(state.typed(text));
  }

  set(name, value) {
    this.store.change(state.set(name, value));
  }

  addFiles(files) {
    const { accepted, rejected } = this.images.sortFiles(files);
    if (accepted.length > 0) {
      this.store.change(state.imagesAdded(accepted.map((file) => this.images.imageOf(file, this.newId()))));
    }
    const names = rejected.map((file) => file.name);
    if (names.length > 0) this.store.change(state.noticed(obstacle('unknown_image_type', { names })));
  }

  /** Into the message box, in place of what stands there, which can be brought back; what cannot be had is said. */
  async trySample(sample) {
    let files;
    try {
      files = await this.filesOf(sample);
    } catch {
      this.store.change(state.noticed(obstacle('no_sample', { ofDraft: true })));
      return;
    }
    this.store.change(state.draftReplaced(sample.text));
    this.addFiles(files);
  }

  moveImage(id, to) {
    this.store.change(state.imageMoved(id, to));
  }

  labelImage(id, label) {
    this.store.change(state.imageLabelled(id, label));
  }

  removeImage(id) {
    this.store.change(state.imageRemoved(id));
  }

  /** What went wrong outside of the session, by its code. */
  say(code) {
    return this.#say(obstacle(code));
  }

  dismissNotice() {
    this.store.change(state.noticed(null));
  }

  /** Resolves when the reply has ended, at once if nothing could be sent. */
  send() {
    const before = this.store.state;
    const { text, images } = before.draft;
    if (text.trim() === '' && images.length === 0) return Promise.resolve();
    const inTheWay = obstacleToSending(before);
    if (inTheWay) return this.#say(inTheWay);
    const ids = [this.newId(), this.newId(), this.newId()];
    const made = this.#origin(settingsOf(before));
    return this.#attempt({ step: state.asked({ ids, at: this.now(), made }), back: (notice) => state.handedBack(before.conversation, notice) });
  }

  /** Another answer to the same question, in a version of its own; `settings` are those that differ from what is chosen. */
  regenerate(id, settings = {}) {
    return this.#again((made) => (talk) => conversation.answerAgain(talk, id, { newId: this.newId(), at: this.now(), made }), settings);
  }

  /** For a reply whose tokens all went into thinking. */
  answerNow(id) {
    return this.regenerate(id, { thinking: 'off' });
  }

  /** The last answer goes on where it was cut; one that ran in circles goes on from its first round, as a new version. */
  continueAnswer() {
    const reply = conversation.lastReply(this.store.state.turns);
    if (!reply?.ending) return Promise.resolve();
    const remedies = ending.remediesOf(reply);
    if (remedies.continue) return this.#again((made) => (talk) => conversation.goOn(talk, { made }));
    if (!remedies.continueAnyway) return Promise.resolve();
    const once = repeatsIn(reply.text)?.once ?? reply.text;
    return this.#again((made) => (talk) => conversation.goOnFrom(talk, once, { newId: this.newId(), at: this.now(), made }));
  }

  edit(id) {
    const turn = conversation.turnOf(this.store.state.conversation, id);
    this.store.change(state.editing({ id, text: turn.text }));
  }

  retype(text) {
    this.store.change(state.editing({ ...this.store.state.editing, text }));
  }

  cancelEdit() {
    this.store.change(state.editing(null));
  }

  /** A question is asked again as it stands now; an answer is kept as edited. */
  finishEdit() {
    const { editing, conversation: talk } = this.store.state;
    const turn = conversation.turnOf(talk, editing.id);
    if (turn.role === 'user') return this.#askInstead(editing);
    if (editing.text.trim() === '') return this.#say(obstacle('no_edit'));
    if (this.#isReplying()) return Promise.resolve();
    const edited = { text: editing.text, newId: this.newId(), at: this.now() };
    this.store.change(editing.text === turn.text ? state.editing(null) : state.stepped((now) => conversation.editAnswer(now, editing.id, edited)));
    return Promise.resolve();
  }

  chooseVersion(id) {
    if (!this.#isReplying()) this.store.change(state.stepped((talk) => conversation.choose(talk, id)));
  }

  remove(id) {
    if (!this.#isReplying()) this.store.change(state.turnRemoved(id));
  }

  undo() {
    this.store.change(state.undone());
  }

  dismissUndo() {
    this.store.change(state.undoOffered(null));
  }

  stop() {
    this.#abort?.abort();
  }

  /** Leaves nothing of this session in the page. */
  startNew() {
    this.#leaveWith(state.cleared());
  }

  /** Another session of this device in place of this one. */
  open(kept) {
    this.#leaveWith(state.opened(kept));
  }

  #leaveWith(change) {
    const abandoned = this.#abort;
    this.#abort = null;
    if (abandoned) this.store.change(state.ended(ending.byReader(), this.now()));
    this.store.change(change);
    abandoned?.abort();
  }

  #askInstead(editing) {
    const inTheWay = obstacleToRewriting(editing.text, this.store.state);
    if (inTheWay) return this.#say(inTheWay);
    const ids = [this.newId(), this.newId()];
    return this.#again((made) => (talk) => conversation.askInstead(talk, editing.id, { text: editing.text, ids, at: this.now(), made }), {}, editing);
  }

  #again(stepWith, settings = {}, editing = null) {
    const before = this.store.state;
    const inTheWay = obstacleToAny(before);
    if (inTheWay) return this.#say(inTheWay);
    const all = { ...settingsOf(before), ...settings };
    const step = state.stepped(stepWith(this.#origin(all)));
    return this.#attempt({ step, settings: all, back: (notice) => state.steppedBack(before.conversation, editing, notice) });
  }

  /** One request to the server: `step` makes the place for its reply, `back` takes it away where nothing was begun. */
  async #attempt({ step, back, settings = settingsOf(this.store.state) }) {
    this.store.change(step);
    const abort = new AbortController();
    this.#abort = abort;
    const mine = () => this.#abort === abort;
    const said = saidBy(conversation.lastReply(this.store.state.turns));
    const verdict = await this.#ask(abort, settings, (event) => mine() && this.store.change(state.received(event, this.now())));
    // After "New session" the state belongs to another conversation.
    if (!mine()) return;
    this.#abort = null;
    this.#conclude(verdict, back, saidBy(conversation.lastReply(this.store.state.turns)) === said);
  }

  async #ask(abort, settings, onEvent) {
    const { turns } = this.store.state;
    const addresses = new Map();
    for (const image of imagesIn(turns)) {
      try {
        addresses.set(image.id, await this.images.dataAddress(image));
      } catch {
        return ending.byRefusal(unreadableImage(image.name));
      }
    }
    if (abort.signal.aborted) return ending.byReader();
    const body = chatRequest(turns, { settings, addressOf: (image) => addresses.get(image.id) });
    return this.follow({ body, signal: abort.signal, onEvent });
  }

  #conclude(verdict, back, nothingCame) {
    if (isTrouble(verdict)) this.onTrouble();
    if (verdict.kind === 'refused') {
      this.store.change(back(verdict.refusal));
      return;
    }
    if (verdict.kind === 'failed' && nothingCame) {
      this.store.change(back(obstacle(verdict.code, { sentence: verdict.sentence })));
      return;
    }
    this.store.change(state.ended(verdict, this.now()));
  }

  #isReplying() {
    const replying = conversation.replying(this.store.state.turns);
    if (replying) this.#say(obstacle('already_replying'));
    return replying;
  }

  #say(notice) {
    this.store.change(state.noticed(notice));
    return Promise.resolve();
  }

  #origin(settings) {
    return originOf(this.store.state.health, settings);
  }
}

/** What the request carries beside the messages. */
function settingsOf({ settings, health }) {
  return allowed(settings, health);
}

const saidBy = ({ text, thinking }) => text.length + thinking.length;
