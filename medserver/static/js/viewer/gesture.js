/**
 * Makes sense of pointers on one pane: one drags, two pinch, two quick taps are a double tap. Knows mouse, pen and finger only by what they
 * send, and not what a drag does.
 *
 * Told `down`, `move` and `up` with {id, x, y, button, time, type}, it answers with a gesture or null:
 * {kind: 'drag', button, by: {x, y}} · {kind: 'pinch', from: [a, b], to: [a, b]} · {kind: 'double', at: {x, y}}.
 */
const QUICKLY = 320; // milliseconds between the two taps of a double tap
const SAME_PLACE = 24;
const STILL = 6;

export class Gesture {
  #pointers = new Map();
  #tap = null;
  #travelled = 0;

  get active() {
    return this.#pointers.size > 0;
  }

  down({ id, x, y, button = 0 }) {
    if (this.#pointers.size === 0) this.#travelled = 0;
    else this.#tap = null;
    this.#pointers.set(id, { x, y, button });
    return null;
  }

  move({ id, x, y }) {
    const before = this.#pointers.get(id);
    if (!before) return null;
    const from = this.#pair();
    this.#pointers.set(id, { ...before, x, y });
    const by = { x: x - before.x, y: y - before.y };
    this.#travelled += Math.hypot(by.x, by.y);
    // Of three fingers the third waits.
    if (this.#pointers.size > 1) return { kind: 'pinch', from, to: this.#pair() };
    return { kind: 'drag', button: before.button, by };
  }

  up({ id, x, y, time }) {
    const pointer = this.#pointers.get(id);
    if (!pointer) return null;
    const alone = this.#pointers.size === 1;
    this.#pointers.delete(id);
    if (!alone || pointer.button !== 0 || this.#travelled > STILL) {
      this.#tap = null;
      this.#travelled = Infinity;
      return null;
    }
    return this.#tapped({ x, y, time });
  }

  cancel({ id }) {
    this.#pointers.delete(id);
    this.#tap = null;
  }

  #tapped(tap) {
    const before = this.#tap;
    const again = before !== null && tap.time - before.time < QUICKLY && Math.hypot(tap.x - before.x, tap.y - before.y) < SAME_PLACE;
    this.#tap = again ? null : tap;
    return again ? { kind: 'double', at: { x: tap.x, y: tap.y } } : null;
  }

  #pair() {
    return [...this.#pointers.values()].slice(0, 2).map(({ x, y }) => ({ x, y }));
  }
}
