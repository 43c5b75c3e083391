/**
 * One image on its canvas with a line that says which it is and how it is seen; passes on what pointers do with it.
 */
import { Gesture } from '../../viewer/gesture.js';
import { settled } from '../../viewer/look.js';
import { transformOf } from '../../viewer/geometry.js';
import { shownWindow } from '../../viewer/windowing.js';
import * as words from '../../words/index.js';
import { element, setAttributes, setText } from '../dom.js';
import { icon } from '../icons.js';
import { FilmChoice } from './film_choice.js';
import { WindowFilter } from './window_filter.js';

// From here on a pixel is shown as the square it is, instead of being smoothed into its neighbours.
const SQUARES_FROM = 8;
const WHEEL_STEP = 0.002;
const WHEEL_UNITS = [1, 16, 400]; // pixels, lines, pages

export class Pane {
  #gesture = new Gesture();
  #canvas = element('canvas', { class: 'viewer-canvas' });
  #context = this.#canvas.getContext('2d');
  #zoom = element('span', { class: 'viewer-figure' });
  #window = element('span', { class: 'viewer-figure' });
  #flipped = element('span');
  #flippedMark = element('span', { class: 'viewer-flipped', hidden: true }, icon('flipAcross'), this.#flipped);
  #marks = element('span', { class: 'viewer-marks' });
  #message = element('p', { class: 'viewer-message', hidden: true });
  #drawn = '';
  #size = { width: 0, height: 0 };

  constructor({ number, onVerb, onActivate, onChoose, onResize }) {
    Object.assign(this, { number, onVerb, onActivate });
    this.filter = new WindowFilter(`viewer-window-${number}`);
    this.choice = new FilmChoice({ onChoose: (id) => onChoose(id, number) });
    this.stage = element('div', { class: 'viewer-stage', tabindex: '0', role: 'application' }, this.#canvas, this.#message, this.filter.node);
    this.node = element(
      'div', { class: 'viewer-pane', on: { focusin: () => onActivate(number) } },
      element(
        'div', { class: 'viewer-caption' },
        this.choice.node, element('p', { class: 'viewer-seen' }, this.#zoom, this.#window, this.#flippedMark, this.#marks),
      ),
      this.stage,
    );
    this.#listen();
    watchPixels(this.stage, (size) => { this.#size = size; onResize(); });
  }

  /** Pixels of the device, or null while nothing can be shown. */
  frameOf(film) {
    return film && this.#size.width > 0 && this.#size.height > 0 ? { image: film, pane: this.#size } : null;
  }

  update({ shown, several, look, entry, films, panes, active }) {
    setAttributes(this.node, { 'data-active': active });
    const frame = this.frameOf(entry.film);
    const seen = frame ? settled(look, frame) : null;
    this.choice.update({ shown, several, films, taken: panes, pane: panes.length > 1 ? this.number : null });
    setAttributes(this.stage, { 'aria-label': words.viewer.stage(words.viewer.choice(shown, several)), 'aria-busy': entry.film || entry.unreadable ? null : 'true' });
    this.#message.hidden = entry.film !== null;
    setText(this.#message, entry.unreadable ? words.viewer.unreadable : words.viewer.opening);
    this.#caption(seen);
    this.#draw(entry.film, seen, shown.id);
  }

  /** Nothing of a film stays behind. */
  clear() {
    this.#drawn = '';
    Object.assign(this.#canvas, { width: 0, height: 0 });
  }

  #caption(look) {
    setText(this.#zoom, look ? words.viewer.percent(look.zoom) : '');
    setText(this.#window, look ? words.viewer.window(shownWindow(look.window)) : '');
    setText(this.#flipped, look ? words.viewer.flipped(look) : '');
    this.#flippedMark.hidden = this.#flipped.textContent === '';
    setText(this.#marks, look ? words.viewer.marks(look) : '');
  }

  #draw(film, look, id) {
    const { width, height } = this.#size;
    const wanted = look ? [id, width, height, ...transformOf(look, film, this.#size)].join() : '';
    if (look) this.filter.update(this.#canvas, look);
    if (wanted === this.#drawn) return;
    this.#drawn = wanted;
    // Giving it a size clears it, even if it is the same.
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      Object.assign(this.#canvas, { width, height });
      Object.assign(this.#canvas.style, { inlineSize: `${width / devicePixelRatio}px`, blockSize: `${height / devicePixelRatio}px` });
    }
    this.#context.resetTransform();
    this.#context.clearRect(0, 0, width, height);
    if (!look) return;
    this.#context.setTransform(...transformOf(look, film, this.#size));
    this.#context.imageSmoothingEnabled = look.zoom < SQUARES_FROM;
    this.#context.drawImage(film.levelFor(look.zoom), 0, 0, film.width, film.height);
  }

  #listen() {
    const { stage } = this;
    stage.addEventListener('pointerdown', (event) => this.#down(event));
    stage.addEventListener('pointermove', (event) => this.#pass(this.#gesture.move(this.#pointer(event))));
    stage.addEventListener('pointerup', (event) => this.#pass(this.#gesture.up(this.#pointer(event))));
    stage.addEventListener('pointercancel', (event) => this.#gesture.cancel(this.#pointer(event)));
    stage.addEventListener('contextmenu', (event) => event.preventDefault());
    stage.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  #down(event) {
    event.preventDefault(); // no selection, and no scrolling by the middle button
    this.onActivate(this.number);
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    this.#gesture.down(this.#pointer(event));
  }

  #pass(gesture) {
    if (!gesture) return;
    if (gesture.kind === 'double') this.onVerb('toggleZoom', gesture.at);
    else if (gesture.kind === 'pinch') this.onVerb('pinch', gesture);
    else this.onVerb('drag', gesture);
  }

  #wheel(event) {
    event.preventDefault();
    this.onActivate(this.number);
    const way = event.deltaY * WHEEL_UNITS[event.deltaMode];
    // Two fingers on a touchpad come as a wheel with Ctrl, in much smaller steps.
    const factor = Math.exp(-way * WHEEL_STEP * (event.ctrlKey ? 5 : 1));
    const { x, y } = this.#pointer(event);
    this.onVerb('zoom', { factor, at: { x, y } });
  }

  /** In pixels of the device from the middle of the pane. */
  #pointer({ pointerId, clientX, clientY, button, timeStamp }) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    const scale = devicePixelRatio;
    return { id: pointerId, x: (clientX - left - width / 2) * scale, y: (clientY - top - height / 2) * scale, button, time: timeStamp };
  }
}

/** Tells `onSize` how many whole pixels of the device fit into `node`, also when it goes to a screen of another density. */
function watchPixels(node, onSize) {
  const whole = (length) => Math.floor(length * devicePixelRatio);
  const observer = new ResizeObserver(([{ contentRect }]) => onSize({ width: whole(contentRect.width), height: whole(contentRect.height) }));
  try {
    observer.observe(node, { box: 'device-pixel-content-box' });
  } catch {
    observer.observe(node); // Safari does not know that box
  }
}
