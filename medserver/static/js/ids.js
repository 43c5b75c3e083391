/**
 * Names what is new so that no two tabs ever name alike; `crypto.randomUUID` does not exist on plain http.
 */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
