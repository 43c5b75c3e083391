/**
 * The pairing page: takes a secret from the address or a PIN from the form, and goes on once the server knows this device.
 */
import { Device } from './js/device.js';
import { pinOf, said } from './js/pairing.js';
import { putOn, themeFrom } from './js/settings/theme.js';
import { pairing as words } from './js/words/other_pages.js';

putOn(themeFrom(new Device(() => localStorage).read('theme')), document);

const form = document.getElementById('form');
const pin = document.getElementById('pin');
const send = document.getElementById('send');
const line = document.getElementById('said');

const goOn = () => location.replace('/');

function show(sentence, { calm = false } = {}) {
  line.classList.toggle('calm', calm);
  line.textContent = sentence;
  pin.setAttribute('aria-invalid', String(Boolean(sentence) && !calm));
}

async function pair(proof) {
  send.disabled = true;
  show(words.asking, { calm: true });
  try {
    const response = await fetch('/api/pairing', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(proof),
    });
    if (response.ok) return goOn();
    show(said(response.status, await response.json().catch(() => null)));
  } catch {
    show(words.unreachable);
  } finally {
    send.disabled = false;
  }
  pin.focus();
  pin.select();
}

async function alreadyKnown() {
  try {
    const response = await fetch('/api/pairing', { cache: 'no-store' });
    return response.ok && (await response.json()).known;
  } catch {
    return false;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const digits = pinOf(pin.value);
  if (digits === null) {
    show(words.sixDigits);
    pin.focus();
  } else pair({ pin: digits });
});

pin.addEventListener('input', () => show(''));

async function begin() {
  const secret = location.hash.slice(1);
  // Out of the address at once, so that it stays in no history and on no screenshot.
  if (secret) history.replaceState(null, '', location.pathname);
  if (await alreadyKnown()) return goOn();
  if (secret) return pair({ secret });
  if (matchMedia('(hover: hover)').matches) pin.focus();
}

begin();
