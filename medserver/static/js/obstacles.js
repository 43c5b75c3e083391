/**
 * Why something cannot be asked just now, by its code and figures, or null; knows the state and changes nothing.
 */
import { replying } from './conversation.js';
import { problemsOf } from './limits.js';

export const obstacle = (code, details = {}) => Object.freeze({ code, ...details });

/** Whatever is asked. */
export function obstacleToAny({ turns, health }) {
  if (replying(turns)) return obstacle('already_replying');
  return health?.status === 'loading' ? obstacle('loading') : null;
}

/** The draft as it stands. */
export function obstacleToSending(now) {
  const { draft, turns, health } = now;
  if (obstacleToAny(now)) return obstacleToAny(now);
  if (draft.text.trim() === '') return obstacle('no_text', { ofDraft: true });
  const [problem] = problemsOf(draft, turns, health);
  return problem ? obstacle(problem.code, { ...problem, ofDraft: true }) : null;
}

/** A question that was rewritten; its images have been taken once already. */
export function obstacleToRewriting(text, now) {
  if (text.trim() === '') return obstacle('no_edit');
  const [problem] = problemsOf({ text, images: [] }, [], now.health);
  return obstacleToAny(now) ?? (problem ? obstacle(problem.code, problem) : null);
}
