/**
 * One turn of the conversation, the reader's or the model's; shows what it is given and passes on what is clicked.
 */
import { MarkdownFlow } from '../markdown/flow.js';
import { repeatsIn } from '../repeats.js';
import * as words from '../words/index.js';
import { Actions } from './actions.js';
import { element, setAttributes, setText } from './dom.js';
import { Editor } from './editor.js';
import { Ending } from './ending.js';
import { typeset } from './maths.js';
import { Repeats } from './repeats.js';
import { Thinking } from './thinking.js';
import { Thumbnail } from './thumbnail.js';

function thumbnail(image, number, { onOpenImage }) {
  const view = new Thumbnail(image, { onOpen: onOpenImage });
  view.update(words.turn.image(number, image.name, image.label));
  return view.node;
}

/** What both kinds have: a heading, a row of actions, and an editor while the turn is being rewritten. */
class TurnView {
  #editor = null;
  who = element('h2', { class: 'turn-who' });

  constructor(turn, actions) {
    this.turn = turn;
    this.on = actions;
    this.actions = new Actions(turn.role, {
      onVersion: (id) => actions.onVersion(id),
      onCopy: () => actions.onCopy(this.turn.text),
      onEdit: () => { actions.onEdit(this.turn.id); },
      onRegenerate: () => actions.onRegenerate(this.turn.id),
      onDownload: () => actions.onDownloadAnswer(this.turn),
      onRemove: () => actions.onRemoveTurn(this.turn.id),
    });
  }

  /** `body` is what the editor takes the place of. */
  updateEditor(editing, body) {
    const mine = editing?.id === this.turn.id;
    if (mine && !this.#editor) this.#openEditor(body[0]);
    if (!mine && this.#editor) this.#closeEditor();
    if (mine) this.#editor.update(editing.text);
    body.forEach((node) => node.classList.toggle('behind-editor', mine));
    this.actions.node.hidden ||= mine;
  }

  #openEditor(place) {
    this.#editor = new Editor(this.turn.role, { onType: this.on.onRetype, onFinish: this.on.onFinishEdit, onCancel: this.on.onCancelEdit });
    place.before(this.#editor.node);
    this.#editor.update(this.turn.text);
    this.#editor.focus();
  }

  #closeEditor() {
    const hadFocus = this.#editor.node.contains(document.activeElement);
    this.#editor.node.remove();
    this.#editor = null;
    if (hadFocus) requestAnimationFrame(() => this.actions.edit.focus());
  }
}

/** What was asked does not change any more, so it is built once. */
export class QuestionView extends TurnView {
  constructor(turn, actions) {
    super(turn, actions);
    const { text, images } = turn;
    const shown = images.map((image, index) => element(
      'li', {},
      thumbnail(image, index + 1, actions),
      element('span', { 'aria-hidden': 'true' }, words.turn.image(index + 1, image.name, image.label)),
    ));
    setText(this.who, words.turn.user);
    this.question = element('p', { class: 'turn-question' }, text);
    this.node = element(
      'article', { class: 'turn', 'data-role': 'user' },
      this.who, shown.length > 0 ? element('ul', { class: 'turn-images' }, ...shown) : null, this.question, this.actions.node,
    );
  }

  update(turn, { versions, busy, last, editing }) {
    this.turn = turn;
    this.actions.update(turn, { versions, busy, asks: last });
    this.updateEditor(editing, [this.question]);
  }
}

export class ReplyView extends TurnView {
  #thinking = new Thinking();
  #waiting = element('p', { class: 'turn-waiting', hidden: true });
  #answer = element('div', { class: 'prose' });
  #flow = new MarkdownFlow(this.#answer, document, { typeset });
  #repeats = new Repeats({ onToggle: () => this.#showText() });
  #folded = null;
  #shown = null;

  constructor(turn, actions) {
    super(turn, actions);
    this.ending = new Ending({
      onContinue: actions.onContinue,
      onAnswerNow: () => actions.onAnswerNow(this.turn.id),
      onRegenerate: () => actions.onRegenerate(this.turn.id),
    });
    this.node = element(
      'article', { class: 'turn', 'data-role': 'assistant' },
      this.who, this.#thinking.node, this.#waiting, this.#answer, this.#repeats.node, this.ending.node, this.actions.node,
    );
  }

  update(reply, { now, last, versions, busy, editing }) {
    this.turn = reply;
    this.ending.update(reply, { last: last && !busy });
    this.actions.update(reply, { versions, busy, asks: true });
    if (reply !== this.#shown || reply.phase === 'thinking' || this.#flow.behind) this.#show(reply, now);
    this.updateEditor(editing, [this.#answer, this.#repeats.node, this.ending.node]);
  }

  #show(reply, now) {
    const over = reply.phase === 'ended';
    if (reply.text !== this.#shown?.text || over !== (this.#shown?.phase === 'ended')) {
      this.#folded = over && reply.ending.kind === 'repetition' ? repeatsIn(reply.text) : null;
    }
    this.#shown = reply;
    setText(this.who, reply.edited ? words.turn.edited : words.turn.assistant);
    setAttributes(this.node, {
      'data-phase': reply.phase, 'data-ending': reply.ending?.kind ?? null, 'aria-busy': over ? 'false' : 'true',
    });
    this.#thinking.update(reply, now);
    const waiting = words.waiting(reply);
    this.#waiting.hidden = waiting === '';
    setText(this.#waiting, waiting);
    this.#showText();
  }

  #showText() {
    const { text, phase } = this.#shown;
    this.#repeats.update(this.#folded);
    this.#flow.update(this.#folded && !this.#repeats.open ? this.#folded.once : text, { whole: phase === 'ended' });
  }
}
