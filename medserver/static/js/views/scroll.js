/**
 * Follows the end of what grows while the reader is at the end, and never moves them otherwise; knows only a scrolling element.
 */
const NEARLY = 48;

export class ScrollFollower {
  #atEnd = false;

  constructor(node) {
    this.node = node;
    node.addEventListener('scroll', () => {
      this.#atEnd = node.scrollHeight - node.scrollTop - node.clientHeight < NEARLY;
    }, { passive: true });
    // The message box grows into the room below the text.
    new ResizeObserver(() => this.follow()).observe(node);
  }

  /** After an update, or after the room for it has changed. */
  follow() {
    if (this.#atEnd) this.node.scrollTop = this.node.scrollHeight;
  }

  toStart() {
    this.#atEnd = false;
    this.node.scrollTop = 0;
  }

  toEnd() {
    this.#atEnd = true;
    this.follow();
  }
}
