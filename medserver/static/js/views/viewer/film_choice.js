/**
 * Which image a pane shows: its name, or a choice where there are several. Does not know what they show.
 */
import * as words from '../../words/index.js';
import { element, setAttributes, setText } from '../dom.js';

export class FilmChoice {
  #name = element('p', { class: 'viewer-name' });
  #listed = '';
  #films = [];

  constructor({ onChoose }) {
    this.select = element('select', {
      class: 'select viewer-choice', hidden: true, on: { change: () => onChoose(this.#films[this.select.selectedIndex].id) },
    });
    this.node = element('div', { class: 'viewer-film' }, this.#name, this.select);
  }

  /** `taken` are the ids that some pane shows; `pane` is null where there is only one. */
  update({ shown, films, several, taken, pane }) {
    this.#films = films;
    this.#name.hidden = films.length > 1;
    this.select.hidden = films.length < 2;
    setText(this.#name, words.viewer.choice(shown, several));
    setAttributes(this.#name, { title: shown.image.name });
    setAttributes(this.select, { 'aria-label': words.viewer.chosen(pane) });
    const options = films.map((film) => [words.viewer.choice(film, several), film.id !== shown.id && taken.includes(film.id)]);
    const listed = JSON.stringify(options);
    if (listed !== this.#listed) {
      this.#listed = listed;
      this.select.replaceChildren(...options.map(([text, disabled]) => element('option', { disabled }, text)));
    }
    this.select.selectedIndex = films.indexOf(shown);
  }
}
