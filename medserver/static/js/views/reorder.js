/**
 * Lets the items of a row be dragged to another place, by mouse, pen or finger; knows the row, not what its items are.
 *
 * Nothing changes before the pointer is let go: the items only make room. Esc or a lost pointer puts everything back.
 */
import { placeAt, roomAt } from '../order.js';

const BEGINS_AFTER = 6;
const EDGE = 40;
const SCROLL = 12;

export class Reorder {
  #drag = null;
  #swallowing = false;

  /** `handle` selects what an item is held by; a finger on anything that scrolls would scroll instead. */
  constructor(row, { handle, onMove }) {
    Object.assign(this, { row, handle, onMove });
    row.addEventListener('pointerdown', (event) => this.#down(event));
    row.addEventListener('pointermove', (event) => this.#move(event));
    row.addEventListener('pointerup', (event) => this.#up(event));
    row.addEventListener('pointercancel', () => this.#end());
    row.addEventListener('click', (event) => this.#swallow(event), { capture: true });
    document.addEventListener('keydown', (event) => this.#pressed(event), { capture: true });
  }

  #down(event) {
    this.#swallowing = false;
    const handle = event.target.closest(this.handle);
    if (!handle || event.button !== 0 || this.row.children.length < 2) return;
    const item = [...this.row.children].find((child) => child.contains(handle));
    const boxes = [...this.row.children].map((child) => child.getBoundingClientRect());
    const from = [...this.row.children].indexOf(item);
    this.#drag = {
      pointer: event.pointerId, item, handle, from, to: from, began: false, x: event.clientX, scrolled: this.row.scrollLeft,
      middles: boxes.map((box) => box.left + box.width / 2), pitch: boxes[1].left - boxes[0].left,
    };
  }

  #move(event) {
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    if (!drag.began && Math.abs(event.clientX - drag.x) < BEGINS_AFTER) return;
    this.#begin();
    this.#scrollAtEdge(event.clientX);
    const by = event.clientX - drag.x + this.row.scrollLeft - drag.scrolled;
    drag.to = placeAt(drag.middles, drag.from, drag.middles[drag.from] + by);
    [...this.row.children].forEach((child, index) => {
      const shift = index === drag.from ? by : roomAt(index, drag.from, drag.to) * drag.pitch;
      child.style.transform = shift === 0 ? '' : `translateX(${shift}px)`;
    });
  }

  #begin() {
    if (this.#drag.began) return;
    this.#drag.began = true;
    this.#swallowing = true;
    this.#drag.handle.setPointerCapture(this.#drag.pointer);
    this.#drag.item.dataset.dragged = '';
  }

  #up(event) {
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    this.#end();
    if (!drag.began) return;
    if (drag.to !== drag.from) this.onMove(drag.from, drag.to);
  }

  #end() {
    if (!this.#drag) return;
    delete this.#drag.item.dataset.dragged;
    for (const child of this.row.children) child.style.transform = '';
    this.#drag = null;
  }

  #scrollAtEdge(x) {
    const { left, right } = this.row.getBoundingClientRect();
    if (x < left + EDGE) this.row.scrollLeft -= SCROLL;
    else if (x > right - EDGE) this.row.scrollLeft += SCROLL;
  }

  /** Letting go of a drag is no click on what was held. */
  #swallow(event) {
    const byKey = event.detail === 0;
    if (!this.#swallowing || byKey) return;
    this.#swallowing = false;
    event.preventDefault();
    event.stopPropagation();
  }

  #pressed(event) {
    if (event.key !== 'Escape' || !this.#drag?.began) return;
    event.preventDefault();
    event.stopPropagation();
    this.#end();
  }
}
