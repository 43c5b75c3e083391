/**
 * The one polite voice for screen readers, apart from the transcript; says what it is given and cannot be seen.
 */
import { element } from './dom.js';

export class Announcer {
  node = element('div', { id: 'announcer', class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });

  say(sentence) {
    if (!sentence) return;
    // The same sentence again is only heard if it differs.
    this.node.textContent = sentence === this.node.textContent ? `${sentence}\u00a0` : sentence;
  }
}
