/**
 * Says how the server stands, as one noun, from its health and from whether it answers; knows no words and no page.
 *
 * kind: connecting · ready · loading · restarting · degraded · failed · unreachable.
 * tone: busy (wait) · good · warn (look again) · bad (it does not work).
 */
import { paceOf, unknownPace } from './pace.js';

const TONES = {
  connecting: 'busy', loading: 'busy', restarting: 'busy', ready: 'good', degraded: 'warn', failed: 'bad', unreachable: 'bad',
};

export function standingOf({ health, link, pace = unknownPace }) {
  const kind = kindOf(health, link);
  return Object.freeze({
    kind,
    tone: TONES[kind],
    why: health?.engine?.why ?? null,
    progress: kind === 'loading' ? progressOf(health.loading, pace) : null,
  });
}

function kindOf(health, link) {
  if (link === 'down') return 'unreachable';
  if (!health) return 'connecting';
  if (health.engine?.state === 'restarting') return 'restarting';
  if (health.status === 'loading') return 'loading';
  if (health.status === 'ready') return 'ready';
  return health.status === 'degraded' ? 'degraded' : 'failed';
}

/** `done` and `total` are null where the server cannot say how far it is, `pace` until it can be told. */
function progressOf(loading, pace) {
  const known = Number.isFinite(loading?.total) && loading.total > 0;
  return Object.freeze({
    stage: loading?.stage ?? null,
    done: known ? Math.min(loading.done ?? 0, loading.total) : null,
    total: known ? loading.total : null,
    pace: known ? paceOf(pace) : null,
  });
}
