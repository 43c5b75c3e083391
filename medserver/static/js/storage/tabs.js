/**
 * Tells the other tabs of this page what was kept or taken away, by name only; nothing that was said goes through it.
 *
 * Words: {kind: changed | removed | stop, id} of a session, {kind: whose | taken, id} of a tab's own name, and {kind: wiped}.
 */
export class Tabs {
  #channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('medserver');

  listen(onWord) {
    this.#channel?.addEventListener('message', ({ data }) => onWord(data));
  }

  tell(kind, id = null) {
    this.#channel?.postMessage({ kind, id });
  }
}
