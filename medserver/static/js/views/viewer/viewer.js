/**
 * The viewer of images: keeps what is looked at, has it drawn once per frame, and passes verbs of tools, keys and pointers to it.
 */
import { oncePerFrame } from '../../frame.js';
import { verbOf } from '../../viewer/keys.js';
import { settled } from '../../viewer/look.js';
import * as reading from '../../viewer/reading.js';
import { presetOf, shownWindow, windowOf } from '../../viewer/windowing.js';
import * as words from '../../words/index.js';
import { element, setAttributes, setText } from '../dom.js';
import { Films } from './films.js';
import { Help } from './help.js';
import { Pane } from './pane.js';
import { Place } from './place.js';
import { Head, Tools } from './tools.js';

const QUIET = 500; // milliseconds without a change before a screen reader is told

export class Viewer {
  #reading = reading.closed;
  #saying = null;
  #soon = oncePerFrame(() => this.#show(), (work) => requestAnimationFrame(work));
  #films = new Films({ onChange: () => this.#soon() });
  #status = element('p', { class: 'visually-hidden viewer-status', role: 'status' });
  #help = new Help();

  /** `fallback` takes the focus when what opened the viewer is no longer there. */
  constructor({ fallback }) {
    const onVerb = (verb, by) => this.act(verb, by);
    this.head = new Head({ onVerb });
    this.tools = new Tools({ onVerb });
    this.panes = [0, 1].map((number) => new Pane({
      number, onVerb,
      onActivate: (pane) => this.#change(reading.activated(pane)),
      onChoose: (id, pane) => { this.#change(reading.activated(pane)); this.#change(reading.opened(id)); },
      onResize: () => this.#soon(),
    }));
    this.node = element(
      'div', { class: 'viewer', on: { keydown: (event) => this.#pressed(event) } },
      this.head.node, element('div', { class: 'viewer-panes' }, ...this.panes.map((pane) => pane.node)), this.tools.node,
      this.#status, this.#help.node,
    );
    this.place = new Place({ content: this.node, fallback, onCancel: () => this.act('close'), onChange: () => this.#soon() });
  }

  open(id, opener) {
    // While the viewer was fetched it may have been taken out again.
    if (!this.#reading.films.some((film) => film.id === id)) return;
    this.#change(reading.opened(id));
    this.place.show(opener);
    this.#show();
    this.panes[this.#reading.active].stage.focus();
  }

  /** The images there are now. */
  update({ turns, draft }) {
    const films = reading.filmsOf(turns, draft);
    if (!reading.sameFilms(films, this.#reading.films)) this.#change(reading.filmsChanged(films));
  }

  act(verb, by) {
    const { active, tool } = this.#reading;
    const own = {
      next: () => this.#change(reading.stepped(1)),
      previous: () => this.#change(reading.stepped(-1)),
      sideBySide: () => this.#change(reading.sideBySide()),
      link: () => this.#change(reading.linkToggled(this.#frames())),
      otherPane: () => this.#goTo(1 - active),
      chooseTool: () => this.#change(reading.toolChosen(by)),
      drag: () => this.#drag(by, by.button === 2 || (by.button === 0 && tool === 'window')),
      autoWindow: () => this.#autoWindow(),
      fullScreen: () => { this.place.toggleFull(); this.#soon(); },
      help: () => this.#help.open(),
      close: () => this.#change(reading.shut()),
    }[verb];
    if (own) own();
    else this.#change(reading.done(verb, by, this.#frames()));
  }

  #drag({ by }, isWindow) {
    // A window of 256 steps is dragged by what the hand moves, whatever the screen's density.
    const hand = { x: by.x / devicePixelRatio, y: by.y / devicePixelRatio };
    this.act(isWindow ? 'dragWindow' : 'move', isWindow ? hand : by);
  }

  #autoWindow() {
    const { film } = this.#films.of(this.#reading.panes[this.#reading.active]);
    if (film) this.act('setWindow', windowOf(film.histogram()));
  }

  #goTo(pane) {
    if (pane < this.#reading.panes.length) this.panes[pane].stage.focus();
  }

  #change(verb) {
    const before = this.#reading;
    this.#reading = verb(before);
    if (this.#reading !== before) this.#soon();
  }

  #frames() {
    return this.#reading.panes.map((id, pane) => this.panes[pane].frameOf(this.#films.of(id).film));
  }

  #pressed(event) {
    if (event.defaultPrevented || event.target.closest('dialog') === this.#help.node) return;
    const found = verbOf(event);
    // In a field a key writes, on a button or a choice the space presses; Esc leaves from anywhere.
    const writes = event.target.matches('input, select') && event.key !== 'Escape';
    const presses = event.key === ' ' && event.target.matches('button');
    if (!found || writes || presses) return;
    event.preventDefault();
    this.act(found.verb, found.by);
  }

  #show() {
    const open = reading.isOpen(this.#reading);
    this.#films.want(this.#wanted());
    if (!open) this.place.hide();
    this.#showPanes();
    if (open) this.#showControls();
  }

  /** Those that are seen, and the one that comes next, so that going on does not wait. */
  #wanted() {
    const { panes, films } = this.#reading;
    if (panes.length === 0) return [];
    const next = reading.neighbour(this.#reading, 1);
    return films.filter((film) => panes.includes(film.id) || film === next).map((film) => film.image);
  }

  #showPanes() {
    const { panes, films, active } = this.#reading;
    setAttributes(this.node, { 'data-panes': panes.length });
    this.panes.forEach((pane, number) => {
      const shown = reading.filmIn(this.#reading, number);
      pane.node.hidden = shown === null;
      if (!shown) {
        pane.clear();
        return;
      }
      const entry = this.#films.of(shown.id);
      pane.update({ shown, several: this.#several, look: reading.lookIn(this.#reading, number), entry, films, panes, active: active === number && panes.length > 1 });
    });
  }

  #showControls() {
    const { panes, active, linked, tool } = this.#reading;
    const look = this.#lookNow();
    const place = words.viewer.place(reading.filmIn(this.#reading, active), this.#several);
    const [hasPrevious, hasNext] = [-1, 1].map((step) => reading.neighbour(this.#reading, step) !== null);
    const two = panes.length > 1;
    this.tools.update({ look, tool });
    this.head.update({ place, hasPrevious, hasNext, two, hasOther: two || hasPrevious || hasNext, linked, full: this.place.full, canDock: this.place.canDock });
    this.#sayLater(words.viewer.status(place, look, shownWindow(look.window), presetOf(look.window) === 'full'));
  }

  get #several() {
    const { films } = this.#reading;
    return films.some((film) => film.message !== films[0].message);
  }

  #lookNow() {
    const { active } = this.#reading;
    const look = reading.lookIn(this.#reading, active);
    const frame = this.#frames()[active];
    return frame ? settled(look, frame) : look;
  }

  #sayLater(sentence) {
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => setText(this.#status, sentence), QUIET);
  }
}
