/**
 * How full the model's context is, before anything is sent: a thin bar and, as it fills, words.
 */
import * as words from '../words/index.js';
import { element, setAttributes, setText } from './dom.js';

const TIGHT = 0.75;

export class ContextMeter {
  // A bar of its own: what a <meter> looks like cannot be told alike to all browsers.
  #fill = element('span', { class: 'context-fill' });
  #text = element('span', { class: 'context-text' });
  node = element('div', { class: 'context-meter', hidden: true, role: 'meter', 'aria-label': words.context.meter, 'aria-valuemin': '0' },
    element('span', { class: 'context-bar' }, this.#fill), this.#text);

  /** `use` as in context.js. */
  update(use) {
    this.node.hidden = use === null || use.used === 0;
    if (this.node.hidden) return;
    const share = Math.min(1, use.used / use.limit);
    const tone = use.room === 0 ? 'full' : share > TIGHT ? 'tight' : 'roomy';
    const said = words.context.use(use);
    setAttributes(this.node, { 'data-tone': tone, 'aria-valuemax': use.limit, 'aria-valuenow': Math.min(use.used, use.limit), 'aria-valuetext': said });
    this.#fill.style.inlineSize = `${Math.max(1, share * 100)}%`;
    setText(this.#text, [said, words.context[tone]?.(use)].filter(Boolean).join('. '));
  }
}
