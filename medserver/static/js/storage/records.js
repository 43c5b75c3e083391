/**
 * A conversation as the records that are kept of it, and back; knows nothing of how they are stored.
 *
 * A message is a turn with its `place`, whose images have lost their bytes and their address in this page. One that still grows says who
 * writes it and when it last did, so that another tab can tell a live one from one that was left.
 */
import * as conversation from '../conversation.js';

const ALIVE = 4000;

export function messageOf(turn, { place, writer, at }) {
  const growing = turn.role === 'assistant' && !turn.removed && turn.phase !== 'ended';
  return { ...turn, place, ...(turn.images && { images: turn.images.map(imageRecord) }), ...(growing && { writer, writtenAt: at }) };
}

/** The turn as it was before; `imageOf` gives an image its bytes back, and may know it already. */
export function turnOf({ place, session, writer, writtenAt, ...turn }, imageOf) {
  return Object.freeze({ ...turn, ...(turn.images && { images: Object.freeze(turn.images.map(imageOf)) }) });
}

/** Another tab is writing it just now. */
export function growsElsewhere({ phase, writer, writtenAt }, { tab, at }) {
  return Boolean(writer) && phase !== 'ended' && writer !== tab && at - writtenAt < ALIVE;
}

/** {session, conversation, settings} as the page works with it, and the turns as they lie in the archive. */
export function keptOf({ session, messages }, imageOf, { tab, at }) {
  const stored = messages.map((message) => turnOf(message, imageOf));
  const turns = stored.map((turn, index) => (growsElsewhere(messages[index], { tab, at }) ? turn : conversation.interrupted(turn, at)));
  const { id, title, named, pinned, created, chosen, settings } = session;
  return { session: { id, title, named, pinned, created }, conversation: conversation.kept(turns, chosen), settings, stored };
}

/** An image without its bytes and its address in this page. */
export function imageRecord({ file, preview, ...image }) {
  return image;
}
