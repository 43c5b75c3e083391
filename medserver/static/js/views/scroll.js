/**
 * Follows the end of what grows while the reader is at the end, and never moves them otherwise; then a button leads there. Knows only a
 * scrolling element.
 */
import * as words from '../words/index.js';
import { element } from './dom.js';
import { icon } from './icons.js';

const NEARLY = 48;

export class ScrollFollower {
  #atEnd = false;
  #top = 0;

  constructor(node) {
    this.node = node;
    this.latest = element(
      'button', { type: 'button', class: 'button latest', hidden: true, on: { click: () => this.#goToEnd() } }, icon('down'), words.turn.latest,
    );
    node.addEventListener('scroll', () => this.#look(), { passive: true });
    // The message box grows into the room below the text.
    new ResizeObserver(() => this.follow()).observe(node);
  }

  /** After an update, or after the room for it has changed. */
  follow() {
    if (this.#atEnd) this.node.scrollTop = this.node.scrollHeight;
    this.#offer();
  }

  toStart() {
    this.#atEnd = false;
    this.node.scrollTop = 0;
    this.#offer();
  }

  toEnd() {
    this.#atEnd = true;
    this.follow();
  }

  /** Only going up leaves the end: a formula or a picture that comes late makes the text longer under who follows it. */
  #look() {
    const { scrollTop } = this.node;
    const near = this.#distance() < NEARLY;
    this.#atEnd = near || (this.#atEnd && scrollTop >= this.#top);
    this.#top = scrollTop;
    this.#offer();
  }

  #offer() {
    this.latest.hidden = this.#atEnd || this.#distance() < NEARLY;
  }

  #distance() {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight;
  }

  #goToEnd() {
    this.toEnd();
    this.node.focus({ preventScroll: true });
  }
}
