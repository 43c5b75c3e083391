/**
 * What the pairing page takes for a PIN, and which sentence answers a refusal; knows neither the DOM nor the network.
 */
import { pairing as words } from './words/other_pages.js';

/** The six digits of what was typed, however they were grouped; null when it is no PIN. */
export function pinOf(typed) {
  const digits = typed.replace(/[\s.-]/g, '');
  return /^\d{6}$/.test(digits) ? digits : null;
}

/** The server's own sentence, or one of ours where something between us answered. */
export function said(status, refusal) {
  return typeof refusal?.detail === 'string' ? refusal.detail : words.failed(status);
}
