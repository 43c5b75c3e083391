/**
 * What the pairing page says, and what it takes for a PIN; knows neither the DOM nor the network.
 */
export const words = {
  asking: 'One moment.',
  sixDigits: 'The PIN has six digits.',
  unreachable: 'The server cannot be reached. Check the network, then try again.',
  failed: (status) => `The server answered ${status} without a reason. Try again in a moment.`,
};

/** The six digits of what was typed, however they were grouped; null when it is no PIN. */
export function pinOf(typed) {
  const digits = typed.replace(/[\s.-]/g, '');
  return /^\d{6}$/.test(digits) ? digits : null;
}

/** The server's own sentence, or one of ours where something between us answered. */
export function said(status, refusal) {
  return typeof refusal?.detail === 'string' ? refusal.detail : words.failed(status);
}
