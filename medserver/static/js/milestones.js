/**
 * Notices the few moments worth telling somebody who cannot see the page; knows neither their words nor who reads them out.
 *
 * The transcript itself is not announced: read aloud token by token it would bury everything else.
 */
import { lastReply } from './conversation.js';
import { standingOf } from './standing.js';

/** What happened between two states: {kind, …} or null. */
export function milestone(before, after) {
  return replyMilestone(before, after) ?? noticeMilestone(before, after) ?? standingMilestone(before, after);
}

function replyMilestone(before, after) {
  const reply = lastReply(after.turns);
  const earlier = lastReply(before.turns);
  if (!reply || reply === earlier) return null;
  if (reply.phase === 'ended') return { kind: 'ended', reply };
  const moved = earlier?.id !== reply.id || earlier.phase !== reply.phase || earlier.ahead !== reply.ahead;
  return moved ? { kind: 'phase', reply } : null;
}

function noticeMilestone(before, after) {
  return after.notice && after.notice !== before.notice ? { kind: 'notice', notice: after.notice } : null;
}

/** Loading is announced when it begins and when it ends, not at every step. */
function standingMilestone(before, after) {
  const standing = standingOf(after);
  const changed = standing.kind !== standingOf(before).kind && standing.kind !== 'connecting';
  return changed ? { kind: 'standing', standing } : null;
}
