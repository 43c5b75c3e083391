/**
 * Where the viewer stands: docked beside the conversation where there is room, or over the whole page. Does not know what it shows.
 */
import * as words from '../../words/index.js';
import { element } from '../dom.js';

const ROOM = '(min-width: 68.75rem)';

export class Place {
  #room = matchMedia(ROOM);
  #opener = null;
  #full = false;

  /** `content` is the viewer; `onCancel` is told when the browser wants to close the dialog, or has; `fallback` takes the focus where the opener is gone. */
  constructor({ content, onCancel, onChange, fallback }) {
    Object.assign(this, { content, fallback });
    this.dock = element('aside', { class: 'viewer-dock', 'aria-label': words.viewer.name, hidden: true });
    this.lightbox = element('dialog', {
      class: 'viewer-lightbox', 'aria-label': words.viewer.name,
      on: { cancel: (event) => { event.preventDefault(); onCancel(); }, close: () => this.content.parentElement === this.lightbox && !this.full && onCancel() },
    });
    this.#room.addEventListener('change', () => {
      // A film that is being read is not taken away when a tablet is turned.
      if (this.open) this.#stand();
      onChange();
    });
  }

  get open() {
    return this.content.parentElement !== null;
  }

  get canDock() {
    return this.#room.matches;
  }

  get full() {
    return this.lightbox.open;
  }

  show(opener) {
    if (!this.open) this.#opener = opener;
    this.#stand();
  }

  toggleFull() {
    this.#full = !this.full;
    this.#stand();
  }

  hide() {
    if (!this.open) return;
    const hadFocus = this.content.contains(document.activeElement);
    this.lightbox.close();
    this.content.remove();
    this.dock.hidden = true;
    if (hadFocus) this.#giveBack();
    this.#opener = null;
  }

  #stand() {
    const full = this.#full || !this.canDock;
    const place = full ? this.lightbox : this.dock;
    if (this.content.parentElement === place) return;
    const focused = this.content.contains(document.activeElement) ? document.activeElement : null;
    this.lightbox.close();
    place.append(this.content);
    this.dock.hidden = full;
    if (full) this.lightbox.showModal();
    focused?.focus();
  }

  #giveBack() {
    if (this.#opener?.isConnected) this.#opener.focus();
    else this.fallback();
  }
}
