/**
 * What a screen reader is told while the page changes.
 */
import { ending } from './ending.js';
import { notice } from './notice.js';
import { sessions } from './sessions.js';
import { standing } from './status.js';
import { keeping } from './storage.js';
import { undo, waiting } from './turn.js';

const PHASES = {
  sending: () => waiting({ phase: 'sending' }),
  waiting,
  thinking: () => 'The model is thinking',
  answering: () => 'The answer is arriving',
};

const sentenceOf = ({ title, rest }) => [title, rest].filter(Boolean).join(' ');

/** A milestone as one sentence for a screen reader, or an empty one. */
export function announcement(milestone, now) {
  if (milestone.kind === 'phase') return PHASES[milestone.reply.phase]?.(milestone.reply) ?? '';
  if (milestone.kind === 'ended') return `Answer: ${sentenceOf(ending(milestone.reply))}`;
  if (milestone.kind === 'opened') return sessions.opened(milestone.title || sessions.untitled);
  if (milestone.kind === 'undo') return undo.said(milestone.undo);
  if (milestone.kind === 'unkept') return sentenceOf(keeping.trouble(milestone.trouble));
  if (milestone.kind === 'found') return sessions.found(milestone.amount);
  if (milestone.kind === 'notice') return sentenceOf(notice(milestone.notice, now));
  if (milestone.standing.kind === 'ready') return 'The model is ready';
  return sentenceOf(standing(milestone.standing) ?? {});
}
