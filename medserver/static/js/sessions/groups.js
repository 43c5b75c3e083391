/**
 * Puts sessions under the headings of their age, pinned ones first; knows the calendar and no words.
 *
 * A group: {kind: pinned | today | yesterday | week | month, at, sessions}, where `at` lies in the month that is meant.
 */
const DAY = 86_400_000;

export function groupsOf(sessions, now) {
  const newestFirst = [...sessions].sort((a, b) => b.changed - a.changed);
  const groups = new Map();
  for (const session of newestFirst) {
    const { key, kind } = session.pinned ? { key: 'pinned', kind: 'pinned' } : ageOf(session.changed, now);
    if (!groups.has(key)) groups.set(key, { kind, at: session.changed, sessions: [] });
    groups.get(key).sessions.push(session);
  }
  const all = [...groups.values()];
  return [...all.filter((group) => group.kind === 'pinned'), ...all.filter((group) => group.kind !== 'pinned')];
}

function ageOf(at, now) {
  const days = Math.round((midnight(now) - midnight(at)) / DAY);
  if (days <= 0) return { key: 'today', kind: 'today' };
  if (days === 1) return { key: 'yesterday', kind: 'yesterday' };
  if (days < 7) return { key: 'week', kind: 'week' };
  const date = new Date(at);
  return { key: `${date.getFullYear()}-${date.getMonth()}`, kind: 'month' };
}

const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);
