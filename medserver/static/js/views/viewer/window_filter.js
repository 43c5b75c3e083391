/**
 * Shows a canvas through a table of 256 values, as window, level and inversion ask for; knows the table, not what is drawn.
 *
 * A CSS chain of brightness() and contrast() rounds and clips between its steps. An SVG table transfer is one look-up for each pixel of the
 * screen, done by the compositor without reading a pixel back, and shows exactly the table that is tested in windowing.js.
 */
import { lookupTable, presetOf } from '../../viewer/windowing.js';
import { setAttributes } from '../dom.js';

const SVG = 'http://www.w3.org/2000/svg';

const svg = (name, attributes, ...children) => {
  const node = document.createElementNS(SVG, name);
  setAttributes(node, attributes);
  node.append(...children);
  return node;
};

export class WindowFilter {
  #channels = ['R', 'G', 'B'].map((channel) => svg(`feFunc${channel}`, { type: 'discrete' }));
  #shown = '';

  constructor(id) {
    this.id = id;
    const transfer = svg('feComponentTransfer', {}, ...this.#channels);
    const filter = svg('filter', { id, x: '0', y: '0', width: '1', height: '1', 'color-interpolation-filters': 'sRGB' }, transfer);
    this.node = svg('svg', { class: 'viewer-filter', width: '0', height: '0', 'aria-hidden': 'true' }, filter);
  }

  /** `canvas` must be transparent where there is no image, or the ground would be inverted with it. */
  update(canvas, { window, inverted }) {
    const plain = presetOf(window) === 'full' && !inverted;
    const table = plain ? '' : tableOf(window, inverted);
    if (table === this.#shown) return;
    this.#shown = table;
    if (table) this.#channels.forEach((channel) => channel.setAttribute('tableValues', table));
    canvas.style.filter = table ? `url(#${this.id})` : '';
  }
}

/** A quarter above each value: browsers cut the fraction or round it, and both end at the value. */
function tableOf(window, inverted) {
  return lookupTable(window, inverted).map((value) => Math.min(1, (value + 0.25) / 255).toFixed(5)).join(' ');
}
