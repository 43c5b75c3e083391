/**
 * Holds the one state of the page and tells who listens that it changed; does not know what the state is about.
 */
export class Store extends EventTarget {
  #state;

  constructor(initial) {
    super();
    this.#state = initial;
  }

  get state() {
    return this.#state;
  }

  /** `next` is a function from state to state; returning the same state says that nothing happened. */
  change(next) {
    const before = this.#state;
    this.#state = next(before);
    if (this.#state !== before) this.dispatchEvent(new Event('change'));
  }
}
