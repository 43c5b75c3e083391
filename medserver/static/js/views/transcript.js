/**
 * The conversation as articles, one a turn; knows how to keep them, not what they say.
 *
 * It is no live region on purpose: see milestones.js.
 */
import { replying, versionsOf } from '../conversation.js';
import { element, ViewList } from './dom.js';
import { QuestionView, ReplyView } from './turn.js';

export class Transcript {
  node = element('div', { id: 'transcript', class: 'transcript' });
  #turns;

  constructor(actions) {
    this.#turns = new ViewList(this.node, (turn) => (turn.role === 'user' ? new QuestionView(turn, actions) : new ReplyView(turn, actions)));
  }

  update({ turns, conversation, editing }, now) {
    this.node.hidden = turns.length === 0;
    const busy = replying(turns);
    this.#turns.update(turns, (view, turn, index) => view.update(turn, {
      now, busy, editing, versions: versionsOf(conversation, turn), last: index === turns.length - 1,
    }));
  }
}
