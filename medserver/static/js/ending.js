/**
 * The ways a reply can end, each one noun; knows no words for them and not how they are shown.
 *
 * kind: finished · stopped (by the reader) · cut (token limit) · repetition · cancelled (by the server) · other (a reason this version does
 * not know) · failed (it said so) · interrupted (it fell silent) · refused (never began: the question goes back into the box).
 */
const KIND_OF_REASON = { stop: 'finished', length: 'cut', repetition: 'repetition', cancelled: 'cancelled' };

/** `finish` is the finish event, or null from a server that only sends [DONE]. */
export function byReason(finish) {
  const { reason = 'stop', usage = null, timings = null } = finish ?? {};
  return Object.freeze({ kind: Object.hasOwn(KIND_OF_REASON, reason) ? KIND_OF_REASON[reason] : 'other', reason, usage, timings });
}

export const byReader = () => Object.freeze({ kind: 'stopped' });

export const bySilence = () => Object.freeze({ kind: 'interrupted' });

export const byFailure = ({ sentence, code }) => Object.freeze({ kind: 'failed', sentence, code });

export const byRefusal = (refusal) => Object.freeze({ kind: 'refused', refusal });

/** The text may go on; asking again makes sense. */
export function isIncomplete(ending) {
  return ending.kind !== 'finished';
}
