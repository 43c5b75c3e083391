/**
 * The ways a reply can end, each one noun; knows no words for them and not how they are shown.
 *
 * kind: finished · edited (somebody wrote it as it stands) · stopped (by the reader) · cut (token limit) · repetition · cancelled (by the
 * server) · other (a reason this version does not know) · failed (it said so) · interrupted (it fell silent) · refused (never began: the
 * question goes back into the box).
 */
const KIND_OF_REASON = { stop: 'finished', length: 'cut', repetition: 'repetition', cancelled: 'cancelled' };
const WHOLE = ['finished', 'edited'];

/** Those that a conversation can hold. */
export const KINDS = Object.freeze([...WHOLE, 'stopped', 'cut', 'repetition', 'cancelled', 'other', 'failed', 'interrupted']);

/** `finish` is the finish event, or null from a server that only sends [DONE]. */
export function byReason(finish) {
  const { reason = 'stop', usage = null, timings = null } = finish ?? {};
  return Object.freeze({ kind: Object.hasOwn(KIND_OF_REASON, reason) ? KIND_OF_REASON[reason] : 'other', reason, usage, timings });
}

export const byReader = () => Object.freeze({ kind: 'stopped' });

export const byEdit = () => Object.freeze({ kind: 'edited' });

export const bySilence = () => Object.freeze({ kind: 'interrupted' });

export const byFailure = ({ sentence, code }) => Object.freeze({ kind: 'failed', sentence, code });

export const byRefusal = (refusal) => Object.freeze({ kind: 'refused', refusal });

/** The text may go on; asking again makes sense. */
export function isIncomplete(ending) {
  return !WHOLE.includes(ending.kind);
}

/** What can be done about a reply that did not end well: {continue, continueAnyway, answerNow}. A text that runs in circles goes on from its first round. */
export function remediesOf({ ending, text, thinking }) {
  const incomplete = ending !== null && isIncomplete(ending);
  const circles = ending?.kind === 'repetition';
  return Object.freeze({
    continue: incomplete && text !== '' && !circles,
    continueAnyway: circles && text !== '',
    answerNow: incomplete && text === '' && thinking !== '',
  });
}
