/**
 * The lines that stand for as long as they are true: that a demo model is answering, and that nobody is asked who they are.
 * Knows only the server's health.
 */
import * as words from '../words/index.js';
import { element } from './dom.js';

export class Banner {
  #demo = element('p', {}, words.banner.demo);
  #open = element('p', {}, words.banner.open);
  node = element('aside', { id: 'demo-banner', class: 'banner', hidden: true, 'aria-label': words.banner.label }, this.#demo, this.#open);

  update(health) {
    this.node.hidden = !health?.demo && !health?.open;
    this.#demo.hidden = !health?.demo;
    this.#open.hidden = !health?.open;
  }
}
