/**
 * Notices the few moments worth telling somebody who cannot see the page; knows neither their words nor who reads them out.
 *
 * The transcript itself is not announced: read aloud token by token it would bury everything else.
 */
import { lastReply, replying } from './conversation.js';
import { standingOf } from './standing.js';
import { troubleIn } from './state.js';

/** What happened between two states: {kind, …} or null. */
export function milestone(before, after) {
  return sessionMilestone(before, after) ?? replyMilestone(before, after) ?? noticeMilestone(before, after)
    ?? storageMilestone(before, after) ?? standingMilestone(before, after);
}

/** One that was kept is shown; what it holds is for the eyes. */
function sessionMilestone(before, after) {
  const opened = after.session.id !== before.session.id && before.conversation !== after.conversation && !replying(after.turns) && after.turns.length > 0;
  return opened ? { kind: 'opened', title: after.session.title } : null;
}

function replyMilestone(before, after) {
  const reply = lastReply(after.turns);
  const earlier = lastReply(before.turns);
  if (!reply || reply === earlier) return null;
  // An earlier version that is looked at again has not just ended.
  if (reply.phase === 'ended') return earlier?.id === reply.id && earlier.phase !== 'ended' ? { kind: 'ended', reply } : null;
  const moved = earlier?.id !== reply.id || earlier.phase !== reply.phase || earlier.ahead !== reply.ahead;
  return moved ? { kind: 'phase', reply } : null;
}

function noticeMilestone(before, after) {
  return after.notice && after.notice !== before.notice ? { kind: 'notice', notice: after.notice } : null;
}

function storageMilestone(before, after) {
  if (after.undo && after.undo !== before.undo) return { kind: 'undo', undo: after.undo };
  const trouble = troubleIn(after);
  if (trouble && trouble.code !== troubleIn(before)?.code) return { kind: 'unkept', trouble };
  const { found } = after.shelf;
  return found && found !== before.shelf.found ? { kind: 'found', amount: found.length } : null;
}

/** Loading is announced when it begins and when it ends, not at every step. */
function standingMilestone(before, after) {
  const standing = standingOf(after);
  const changed = standing.kind !== standingOf(before).kind && standing.kind !== 'connecting';
  return changed ? { kind: 'standing', standing } : null;
}
