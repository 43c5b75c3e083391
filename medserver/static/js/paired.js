/**
 * Whether this device was let in by a code, and how it is forgotten again; knows nothing of the page.
 */
export async function isPaired(fetch) {
  try {
    return (await (await fetch('/api/pairing', { cache: 'no-store' })).json()).kind === 'session';
  } catch {
    return false;
  }
}

/** Resolves to whether the server has forgotten it. */
export async function forgetPairing(fetch) {
  try {
    return (await fetch('/api/pairing', { method: 'DELETE' })).ok;
  } catch {
    return false;
  }
}
