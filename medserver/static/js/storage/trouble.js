/**
 * Says in one code why something was not kept on this device; knows the browser's names for it, not our words.
 *
 * quota · unavailable (private mode, or switched off) · newer (a newer page has been here) · blocked (an older tab holds it) · failed
 */
const CODES = {
  QuotaExceededError: 'quota', VersionError: 'newer', SecurityError: 'unavailable', InvalidStateError: 'unavailable', NotFoundError: 'unavailable',
};

export class Gone extends Error {
  name = 'Gone';
}

/** For what a person must never wait on for ever. */
export class Blocked extends Error {
  name = 'Blocked';
}

export function troubleOf(error) {
  if (error instanceof Blocked) return Object.freeze({ code: 'blocked' });
  // Chromium reports a full disk while writing a blob as a failed transaction without its own name.
  const name = error?.name === 'AbortError' && error.inner ? error.inner.name : error?.name;
  return Object.freeze({ code: Object.hasOwn(CODES, name) ? CODES[name] : 'failed' });
}
