/**
 * The message box with its images and switches; shows the draft it is given and passes on what is typed, chosen and pressed.
 */
import { ACCEPTED } from '../image_file.js';
import { countCharacters } from '../limits.js';
import * as words from '../words/index.js';
import { Attachments } from './attachments.js';
import { ContextMeter } from './context_meter.js';
import { element, setText } from './dom.js';
import { icon } from './icons.js';
import { Notice } from './notice.js';

// The counter is silent until it matters.
const NEAR_LIMIT = 0.8;
const GROWS_BY_ITSELF = CSS.supports('field-sizing', 'content');

export class Composer {
  constructor(actions) {
    this.actions = actions;
    this.notice = new Notice({ onDismiss: actions.onDismiss });
    this.attachments = new Attachments({
      onRemove: actions.onRemove, onMove: actions.onMoveImage, onLabel: actions.onLabelImage, onOpen: actions.onOpenImage, onEmptied: () => this.focus(),
    });
    this.context = new ContextMeter();
    this.#buildControls();
    this.node = element(
      'form', { id: 'composer', class: 'composer', on: { submit: (event) => this.#submit(event) } },
      this.notice.node,
      this.context.node,
      element(
        'div', { class: 'composer-box' },
        this.attachments.node,
        element('label', { class: 'visually-hidden', for: 'prompt' }, words.composer.label),
        this.prompt,
        element('div', { class: 'composer-row' }, this.attach, this.imageInput, this.camera, this.cameraInput, this.thinking, this.length, this.sendButton, this.stopButton),
      ),
    );
  }

  update({ draft, settings, health, notice, problem, context, replying, now }) {
    if (this.prompt.value !== draft.text) this.prompt.value = draft.text;
    this.#fit();
    this.attachments.update(draft.images, health);
    this.notice.update(notice ?? problem, { now, dismissable: Boolean(notice) });
    this.context.update(context);
    this.thinkingChoice.value = settings.thinking;
    this.thinking.hidden = health?.thinking === false;
    this.#updateLength(draft.text, health?.max_text_length);
    const stopHadFocus = document.activeElement === this.stopButton;
    this.sendButton.hidden = replying;
    this.stopButton.hidden = !replying;
    if (stopHadFocus && !replying) this.focus();
  }

  focus() {
    this.prompt.focus();
  }

  #buildControls() {
    const { actions } = this;
    this.prompt = element('textarea', {
      id: 'prompt', class: 'composer-prompt', rows: '1', placeholder: words.composer.placeholder, enterkeyhint: 'send', autocomplete: 'off',
      on: {
        input: () => actions.onType(this.prompt.value), keydown: (event) => this.#pressed(event), paste: (event) => this.#pasted(event),
      },
    });
    this.imageInput = this.#fileInput({ id: 'image-input', multiple: true, accept: ACCEPTED, 'aria-label': words.composer.attach });
    this.cameraInput = this.#fileInput({ id: 'camera-input', accept: 'image/*', capture: 'environment', 'aria-label': words.draftImages.camera });
    this.attach = element(
      'button', {
        type: 'button', class: 'button quiet', id: 'attach', 'aria-label': words.composer.attach, on: { click: () => this.imageInput.click() },
      },
      icon('image'), element('span', { class: 'composer-wide' }, words.composer.attach),
    );
    this.camera = element(
      'button', {
        type: 'button', class: 'button quiet composer-camera', id: 'camera', 'aria-label': words.draftImages.camera, title: words.draftImages.camera,
        on: { click: () => this.cameraInput.click() },
      },
      icon('camera'),
    );
    const choices = Object.entries(words.composer.thinkingChoices).map(([value, name]) => element('option', { value }, name));
    this.thinkingChoice = element('select', { id: 'thinking', class: 'select', on: { change: () => actions.onSetting('thinking', this.thinkingChoice.value) } }, ...choices);
    this.thinking = element('label', { class: 'composer-thinking' }, element('span', {}, words.composer.thinking), this.thinkingChoice);
    this.length = element('span', { class: 'composer-length' });
    this.sendButton = element(
      'button', { type: 'submit', class: 'button primary', id: 'send' }, icon('send'),
      element('span', { class: 'button-label' }, words.composer.send),
    );
    this.stopButton = element(
      'button', { type: 'button', class: 'button stop', id: 'stop', hidden: true, on: { click: actions.onStop } }, icon('stop'),
      element('span', { class: 'button-label' }, words.composer.stop),
    );
  }

  #submit(event) {
    event.preventDefault();
    this.actions.onSend();
  }

  #pressed(event) {
    // Enter also ends a word in an input method; 229 is how some browsers say so after isComposing is already false.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== 'Enter' || event.shiftKey || composing) return;
    event.preventDefault();
    this.actions.onSend();
  }

  /** A word processor puts a picture of the text beside the text; then the text is meant. */
  #pasted(event) {
    const { files } = event.clipboardData;
    if (files.length === 0 || event.clipboardData.getData('text/plain') !== '') return;
    event.preventDefault();
    this.actions.onFiles(files);
  }

  #fileInput(attributes) {
    const input = element('input', { type: 'file', class: 'visually-hidden', tabindex: '-1', ...attributes, on: { change: () => this.#chosen(input) } });
    return input;
  }

  #chosen(input) {
    this.actions.onFiles(input.files);
    // Otherwise choosing the same file again would be no change.
    input.value = '';
    this.focus();
  }

  /** Browsers without `field-sizing` have to be told how tall the text is. */
  #fit() {
    if (GROWS_BY_ITSELF || this.prompt.value === this.fitted) return;
    this.fitted = this.prompt.value;
    this.prompt.style.blockSize = 'auto';
    this.prompt.style.blockSize = `${this.prompt.scrollHeight}px`;
  }

  #updateLength(text, limit) {
    const length = text.length > limit * NEAR_LIMIT ? countCharacters(text) : 0;
    setText(this.length, length > limit * NEAR_LIMIT ? words.composer.length(length, limit) : '');
  }
}
