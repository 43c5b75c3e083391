/**
 * How long something will still take, from how it has gone on so far; reads no clock of its own.
 */
const SETTLED = 3000; // milliseconds of the same stage before anything is said

export class Estimate {
  #first = null;

  /** Seconds left of {stage, done, total} at `now`, or null while that cannot be said. */
  left(progress, now) {
    if (!progress || progress.total === null) {
      this.#first = null;
      return null;
    }
    const { stage, done, total } = progress;
    if (this.#first?.stage !== stage || done < this.#first.done) this.#first = { stage, done, at: now };
    const gained = done - this.#first.done;
    const passed = now - this.#first.at;
    if (gained <= 0 || passed < SETTLED) return null;
    return Math.ceil((total - done) / (gained / passed) / 1000);
  }
}
