/**
 * Asks /api/health calmly for as long as the page is looked at; does not know what the answers mean to the page.
 *
 * Every second while something is coming up, every ten when all is well, never in a hidden tab.
 */
const SETTLED = 10_000;
const UNSETTLED = 1_000;
const LOST = 3_000;
const PATIENCE = 8_000;

export function pauseAfter(health) {
  if (!health) return LOST;
  const quiet = health.status === 'ready' || (health.status === 'degraded' && health.engine?.state === 'ready');
  return quiet ? SETTLED : UNSETTLED;
}

export class HealthWatch {
  #timer = null;
  #asking = null;
  #wary = false;

  /** `clock` has setTimeout and clearTimeout; `page` is a document, for its visibility. */
  constructor({ fetch, clock, page, onHealth, onLost }) {
    Object.assign(this, { fetch, clock, page, onHealth, onLost });
  }

  start() {
    this.page.addEventListener('visibilitychange', () => (this.page.hidden ? this.#rest() : this.askNow()));
    return this.askNow();
  }

  /** Something went wrong, which the server may know a moment later than we do: asked now, and soon once more. */
  lookCloser() {
    this.#wary = true;
    return this.askNow();
  }

  /** Out of turn: when the page is looked at again. */
  async askNow() {
    this.#rest();
    if (this.page.hidden) return;
    const asking = new AbortController();
    this.#asking = asking;
    const health = await this.#ask(asking);
    if (this.#asking !== asking) return;
    this.#asking = null;
    if (health) this.onHealth(health);
    else this.onLost();
    this.#timer = this.clock.setTimeout(() => this.askNow(), this.#wary ? UNSETTLED : pauseAfter(health));
    this.#wary = false;
  }

  async #ask(asking) {
    const patience = this.clock.setTimeout(() => asking.abort(), PATIENCE);
    try {
      const response = await this.fetch('/api/health', { cache: 'no-store', signal: asking.signal });
      const health = await response.json();
      return typeof health?.status === 'string' ? health : null;
    } catch {
      return null;
    } finally {
      this.clock.clearTimeout(patience);
    }
  }

  #rest() {
    this.clock.clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
  }
}
