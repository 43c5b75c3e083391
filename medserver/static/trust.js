/**
 * The page that helps to trust the server's own certificate authority: shows the fingerprint that is to be compared.
 */
import { Device } from './js/device.js';
import { putOn, themeFrom } from './js/settings/theme.js';
import { trust as words } from './js/words/other_pages.js';

putOn(themeFrom(new Device(() => localStorage).read('theme')), document);

const line = document.getElementById('fingerprint');

try {
  const response = await fetch('/api/trust', { cache: 'no-store' });
  line.textContent = (await response.json()).sha256.replaceAll(':', ' ');
} catch {
  line.textContent = words.failed;
}
