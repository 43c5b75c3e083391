/**
 * One turn of the conversation, the reader's or the model's; shows what it is given and passes on what is clicked.
 */
import { isIncomplete } from '../ending.js';
import { MarkdownFlow } from '../markdown/flow.js';
import * as words from '../words.js';
import { element, setAttributes, setText } from './dom.js';
import { Ending } from './ending.js';
import { icon } from './icons.js';
import { Thinking } from './thinking.js';

const COPIED_FOR = 2500;

const heading = (role) => element('h2', { class: 'turn-who' }, words.turn[role]);

/** What was asked does not change any more, so it is built once. */
export class QuestionView {
  constructor({ text, images }) {
    const shown = images.map((image, index) => element(
      'li', {},
      element('img', { src: image.preview, alt: words.turn.image(index + 1, image.name), loading: 'lazy' }),
      element('span', { 'aria-hidden': 'true' }, words.turn.image(index + 1, image.name)),
    ));
    this.node = element(
      'article', { class: 'turn', 'data-role': 'user' },
      heading('user'),
      shown.length > 0 ? element('ul', { class: 'turn-images' }, ...shown) : null,
      element('p', { class: 'turn-question' }, text),
    );
  }

  update() {}
}

export class ReplyView {
  #thinking = new Thinking();
  #waiting = element('p', { class: 'turn-waiting', hidden: true });
  #answer = element('div', { class: 'prose' });
  #flow = new MarkdownFlow(this.#answer, document);
  #ending = new Ending();
  #shown = null;
  #copyLabel = element('span', {}, words.turn.copy);

  constructor({ onCopy, onDownloadAnswer, onTryAgain }) {
    this.copy = element(
      'button', { type: 'button', class: 'button quiet', on: { click: () => this.#sayCopied(onCopy(this.#shown.text)) } },
      icon('copy'), this.#copyLabel,
    );
    this.download = element(
      'button', { type: 'button', class: 'button quiet', on: { click: () => onDownloadAnswer(this.#shown) } },
      icon('download'), words.turn.download,
    );
    this.again = element('button', { type: 'button', class: 'button quiet', on: { click: onTryAgain } }, icon('again'), words.turn.tryAgain);
    this.node = element(
      'article', { class: 'turn', 'data-role': 'assistant' },
      heading('assistant'), this.#thinking.node, this.#waiting, this.#answer, this.#ending.node,
      element('div', { class: 'turn-actions' }, this.copy, this.download, this.again),
    );
  }

  update(reply, { now, last }) {
    const over = reply.phase === 'ended';
    this.again.hidden = !(over && last && isIncomplete(reply.ending));
    if (reply === this.#shown && reply.phase !== 'thinking' && !this.#flow.behind) return;
    this.#shown = reply;
    setAttributes(this.node, {
      'data-phase': reply.phase, 'data-ending': reply.ending?.kind ?? null, 'aria-busy': over ? 'false' : 'true',
    });
    this.#thinking.update(reply, now);
    const waiting = words.waiting(reply);
    this.#waiting.hidden = waiting === '';
    setText(this.#waiting, waiting);
    this.#flow.update(reply.text, { whole: over });
    this.#ending.update(reply);
    this.copy.hidden = !(over && reply.text);
    this.download.hidden = this.copy.hidden;
  }

  #sayCopied(done) {
    setText(this.#copyLabel, done ? words.turn.copied : words.turn.copyFailed);
    setTimeout(() => setText(this.#copyLabel, words.turn.copy), COPIED_FOR);
  }
}
