/**
 * Copies text from a click, also on plain http where navigator.clipboard does not exist; does not know whose text it is.
 */
export function copyText(text, document) {
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'off-screen';
  // Inside an open dialog everything outside is inert and cannot be selected.
  (before?.closest('dialog') ?? document.body).append(area);
  area.select();
  try {
    return document.execCommand('copy');
  } finally {
    area.remove();
    before?.focus();
  }
}
