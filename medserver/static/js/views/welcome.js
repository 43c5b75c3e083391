/**
 * What an empty conversation shows: what this is for, what it is not for, and questions to begin with, the model's own where it brings some.
 */
import * as words from '../words/index.js';
import { element, setText } from './dom.js';

const PLAIN = words.welcome.prompts.map((text) => Object.freeze({ text, images: Object.freeze([]) }));

export class Welcome {
  #does = element('p', { class: 'welcome-does' });
  #list = element('ul', { class: 'suggestions' });
  #shown = null;

  constructor({ onSuggestion }) {
    this.onSuggestion = onSuggestion;
    this.node = element(
      'section', { class: 'welcome', 'aria-labelledby': 'welcome-heading' },
      element('h2', { id: 'welcome-heading' }, words.welcome.heading),
      this.#does,
      element('p', { class: 'welcome-not' }, words.welcome.not),
      element('h3', {}, words.welcome.suggestions),
      this.#list,
      element('p', { class: 'welcome-small' }, words.welcome.kept),
      element('p', { class: 'welcome-small' }, words.terms.notice),
    );
  }

  update({ turns, health, samples }) {
    this.node.hidden = turns.length > 0;
    setText(this.#does, words.welcome.does[kindOf(health)]);
    this.#suggest(samples.length > 0 ? samples : PLAIN);
  }

  #suggest(prompts) {
    if (this.#shown === prompts) return;
    this.#shown = prompts;
    this.#list.replaceChildren(...prompts.map((prompt) => element('li', {}, this.#suggestion(prompt))));
  }

  #suggestion(prompt) {
    // The question says enough: the pictures would only be read out as file names.
    const pictures = prompt.images.map((address) => element('img', { src: address, alt: '', loading: 'lazy' }));
    const label = pictures.length > 0 ? words.welcome.withImages(prompt.text, pictures.length) : null;
    return element(
      'button', { type: 'button', class: 'suggestion', 'aria-label': label, on: { click: () => this.onSuggestion(prompt) } },
      ...pictures, element('span', {}, prompt.text),
    );
  }
}

function kindOf(health) {
  if (health?.demo) return 'demo';
  return health?.supports_images === false ? 'text' : 'images';
}
