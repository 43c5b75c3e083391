/**
 * Hands somebody a file, also on plain http; does not know what is in it. `blob` or `text` with its `type`.
 */
export function save({ name, type, text, blob = new Blob([text], { type: `${type};charset=utf-8` }) }, document) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  Object.assign(link, { href: address, download: name });
  link.click();
  // The browser reads the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
