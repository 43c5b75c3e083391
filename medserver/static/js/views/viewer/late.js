/**
 * The viewer, fetched when the first image is there to be viewed: a page that only answers questions is open sooner without it.
 */
import { imagesIn } from '../../request.js';
import { element } from '../dom.js';

const load = async () => (await import('./viewer.js')).Viewer;

export class LateViewer {
  #viewer = null;
  #loading = null;
  #state = null;
  #stead = element('aside', { class: 'viewer-dock', hidden: true });
  /** Where the viewer will stand. */
  places = [this.#stead, element('template')];

  /** `onFailed` is told when it could not be fetched; `fallback` is the viewer's own. */
  constructor({ fallback, onFailed }) {
    Object.assign(this, { fallback, onFailed });
  }

  update(state) {
    this.#state = state;
    if (this.#viewer) this.#viewer.update(state);
    else if (!this.#loading && hasImages(state)) this.#load().catch(() => {}); // it is said when somebody wants to see one
  }

  async open(id, opener) {
    try {
      await this.#load();
    } catch {
      this.#loading = null;
      this.onFailed();
      return;
    }
    this.#viewer.open(id, opener);
  }

  close() {
    this.#viewer?.act('close');
  }

  #load() {
    this.#loading ??= load().then((Viewer) => {
      this.#viewer = new Viewer({ fallback: this.fallback });
      const { dock, lightbox } = this.#viewer.place;
      [dock, lightbox].forEach((place, index) => this.places[index].replaceWith(place));
      this.#viewer.update(this.#state);
    });
    return this.#loading;
  }
}

const hasImages = ({ turns, draft }) => draft.images.length > 0 || imagesIn(turns).length > 0;
