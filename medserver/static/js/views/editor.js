/**
 * A turn being rewritten where it stands; shows the text it is given and passes on what is typed and how it ends. Ctrl+Enter ends it too.
 */
import * as words from '../words/index.js';
import { element } from './dom.js';

const GROWS_BY_ITSELF = CSS.supports('field-sizing', 'content');

export class Editor {
  constructor(role, { onType, onFinish, onCancel }) {
    this.field = element('textarea', {
      class: 'editor-text', rows: '3', 'aria-label': words.editing.label[role], autocomplete: 'off',
      on: { input: () => onType(this.field.value), keydown: (event) => this.#pressed(event, { onFinish, onCancel }) },
    });
    this.node = element(
      'form', { class: 'editor', on: { submit: (event) => { event.preventDefault(); onFinish(); } } },
      this.field,
      element('div', { class: 'editor-row' },
        element('p', {}, words.editing.meaning[role]),
        element('button', { type: 'button', class: 'button', on: { click: onCancel } }, words.editing.cancel),
        element('button', { type: 'submit', class: 'button primary' }, role === 'user' ? words.editing.send : words.editing.save)),
    );
  }

  update(text) {
    if (this.field.value !== text) this.field.value = text;
    if (GROWS_BY_ITSELF) return;
    this.field.style.blockSize = 'auto';
    this.field.style.blockSize = `${this.field.scrollHeight}px`;
  }

  focus() {
    this.field.focus();
    this.node.scrollIntoView({ block: 'nearest' });
  }

  #pressed(event, { onFinish, onCancel }) {
    if (event.isComposing) return;
    if (event.key === 'Escape') onCancel();
    else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onFinish();
    else return;
    // Esc would also stop a reply that is arriving.
    event.preventDefault();
    event.stopPropagation();
  }
}
