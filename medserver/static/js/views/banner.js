/**
 * The line that says, for as long as the page is open, that a demo model is answering; knows only the server's health.
 */
import * as words from '../words.js';
import { element, setText } from './dom.js';

export class Banner {
  #text = element('p');
  node = element('aside', { id: 'demo-banner', class: 'banner', hidden: true, 'aria-label': 'Demo' }, this.#text);

  update(health) {
    this.node.hidden = !health?.demo;
    if (health?.demo) setText(this.#text, [words.banner.demo, health.model_note].filter(Boolean).join(' '));
  }
}
