/**
 * What an empty conversation shows: what this is for, what it is not for, and three questions to begin with.
 */
import * as words from '../words.js';
import { element, setText } from './dom.js';

export class Welcome {
  #does = element('p', { class: 'welcome-does' });

  constructor({ onSuggestion }) {
    const suggestions = words.welcome.prompts.map((prompt) => element('li', {}, element(
      'button', { type: 'button', class: 'suggestion', on: { click: () => onSuggestion(prompt) } }, prompt,
    )));
    this.node = element(
      'section', { class: 'welcome', 'aria-labelledby': 'welcome-heading' },
      element('h2', { id: 'welcome-heading' }, words.welcome.heading),
      this.#does,
      element('p', { class: 'welcome-not' }, words.welcome.not),
      element('h3', {}, words.welcome.suggestions),
      element('ul', { class: 'suggestions' }, ...suggestions),
      element('p', { class: 'welcome-small' }, words.welcome.kept),
      element('p', { class: 'welcome-small' }, words.terms.notice),
    );
  }

  update({ turns, health }) {
    this.node.hidden = turns.length > 0;
    setText(this.#does, health?.supports_images === false ? words.welcome.does.text : words.welcome.does.images);
  }
}
