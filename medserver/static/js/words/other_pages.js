/**
 * The pages beside the conversation, as far as their words are not in their HTML: pairing, trust, and the list of routes.
 */
export const pairing = {
  asking: 'One moment.',
  sixDigits: 'The PIN has six digits.',
  unreachable: 'The server cannot be reached. Check the network, then try again.',
  failed: (status) => `The server answered ${status} without a reason. Try again in a moment.`,
};

export const trust = { failed: 'The fingerprint could not be fetched. Load the page again.' };

export const docs = {
  heads: ['Field', 'Type', 'Meaning'],
  required: 'required',
  fields: (route) => `Fields of ${route}`,
  failed: 'The list could not be fetched. Load the page again.',
};
