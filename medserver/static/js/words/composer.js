/**
 * What is about to be sent.
 */
import { count, figures, megabytes } from './figures.js';

export const composer = {
  label: 'Your message',
  placeholder: 'Write a message',
  attach: 'Add images',
  send: 'Send',
  stop: 'Stop',
  thinking: 'Thinking',
  thinkingChoices: { auto: 'Auto', on: 'On', off: 'Off' },
  attachments: 'Images to send, in this order',
  remove: (number, name) => `Remove image ${number}, ${name}`,
  noPreview: 'No preview',
  length: (length, limit) => `${figures.format(length)} of ${figures.format(limit)} characters`,
  notice: 'Message to you',
  dismiss: 'Dismiss',
};

/** The images of a message that is not sent yet. */
export const draftImages = {
  camera: 'Take a photo',
  labels: { '': 'No label', prior: 'Prior', current: 'Current', own: 'Own words' },
  label: (number) => `Label of image ${number}`,
  ownLabel: (number) => `Own label of image ${number}`,
  earlier: (number) => `Move image ${number} earlier`,
  later: (number) => `Move image ${number} later`,
  grip: 'Drag to change the order',
  moved: (name, number, of) => `${name} is now image ${number} of ${of}`,
  /** `limit` and `each` are not known before the server has answered. */
  figures: ({ images, limit, size, each }) => [
    Number.isFinite(limit) ? `${figures.format(images)} of ${count(limit, 'image')}` : count(images, 'image'),
    megabytes(size),
    Number.isFinite(each) ? `at most ${megabytes(each)} each` : '',
  ].filter(Boolean).join(', '),
  tooLarge: (size) => `Too large: ${megabytes(size)}`,
};

/** How much of the context is taken. */
export const context = {
  meter: 'Context used',
  use: ({ used, limit }) => `About ${figures.format(used)} of ${figures.format(limit)} tokens`,
  tight: ({ room }) => `About ${figures.format(room)} tokens are left for the answer.`,
  full: () => 'This is probably too long for the model. Shorten it, or start a new session.',
};
