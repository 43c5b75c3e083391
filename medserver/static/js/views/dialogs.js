/**
 * The dialogs: what this is and under which terms, the questions before something is lost, and what shall be downloaded.
 *
 * <dialog> traps the focus, closes on Esc and gives the focus back by itself.
 */
import * as words from '../words/index.js';
import { element, setText } from './dom.js';

const button = (text, kind, close) => element('button', { type: 'button', class: `button ${kind}`, on: { click: close } }, text);

export class AboutDialog {
  constructor() {
    const { heading, paragraphs, notice } = words.terms;
    this.node = element(
      'dialog', { id: 'about', class: 'dialog', 'aria-labelledby': 'about-heading' },
      // Begun at its button, a long text would open at its end.
      element('h2', { id: 'about-heading', tabindex: '-1', autofocus: true }, heading),
      ...[...paragraphs, notice].map((text) => element('p', {}, text)),
      element('div', { class: 'dialog-row' }, button(words.page.close, '', () => this.node.close())),
    );
  }

  open() {
    this.node.showModal();
  }
}

/** A question before something is lost: `said` is {heading, meaning, confirm, keep}, `kind` how its button looks. */
export class ConfirmDialog {
  #meaning;
  #onConfirm;

  constructor({ id, said, kind }) {
    this.said = said;
    const confirmed = () => {
      this.node.close();
      this.#onConfirm();
    };
    this.#meaning = element('p', { id: `${id}-meaning` });
    this.node = element(
      'dialog', { id, class: 'dialog', 'aria-labelledby': `${id}-heading`, 'aria-describedby': `${id}-meaning` },
      element('h2', { id: `${id}-heading` }, said.heading),
      this.#meaning,
      element('div', { class: 'dialog-row' }, button(said.keep, '', () => this.node.close()), button(said.confirm, kind, confirmed)),
    );
  }

  open({ meaning = this.said.meaning, onConfirm }) {
    setText(this.#meaning, meaning);
    this.#onConfirm = onConfirm;
    this.node.showModal();
  }
}

export class DownloadDialog {
  constructor({ onDownload }) {
    const { downloading } = words;
    this.answer = this.#choice('scope', 'answer', downloading.scopes.answer);
    const scopes = [this.#choice('scope', 'conversation', downloading.scopes.conversation, true), this.answer];
    const formats = Object.entries(downloading.formats).map(([value, name], index) => this.#choice('format', value, name, index === 0));
    this.thinking = element('input', { type: 'checkbox', name: 'thinking' });
    this.form = element(
      'form', { class: 'choices', on: { submit: (event) => this.#submit(event, onDownload) } },
      element('fieldset', {}, element('legend', {}, downloading.what), ...scopes),
      element('fieldset', {}, element('legend', {}, downloading.format), ...formats),
      element('label', { class: 'choice' }, this.thinking, downloading.thinking),
      element('div', { class: 'dialog-row' }, button(downloading.cancel, '', () => this.node.close()),
        element('button', { type: 'submit', class: 'button primary' }, downloading.download)),
    );
    this.node = element(
      'dialog', { id: 'downloading', class: 'dialog', 'aria-labelledby': 'downloading-heading' },
      element('h2', { id: 'downloading-heading' }, downloading.heading), this.form,
    );
  }

  /** `hasAnswer`: there is a last answer that could be downloaded alone. */
  open({ hasAnswer }) {
    this.form.reset();
    this.answer.firstElementChild.disabled = !hasAnswer;
    this.node.showModal();
  }

  #choice(name, value, said, checked = false) {
    return element('label', { class: 'choice' }, element('input', { type: 'radio', name, value, checked }), said);
  }

  #submit(event, onDownload) {
    event.preventDefault();
    const chosen = new FormData(this.form);
    this.node.close();
    onDownload({ scope: chosen.get('scope'), format: chosen.get('format'), thinking: this.thinking.checked });
  }
}
