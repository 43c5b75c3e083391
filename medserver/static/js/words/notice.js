/**
 * What stands in the way of sending, or what has just been done.
 */
import { failureLine } from './ending.js';
import { count, figures, megabytes, own, timeUntil } from './figures.js';
import { STORAGE } from './storage.js';

const KEPT = 'Your message is back in the box.';

// Said about what is about to be sent, or why it was not.
const NOTICES = {
  ...STORAGE,
  no_edit: () => ({ title: 'The message is empty.', rest: 'Write something, or cancel and delete the message.' }),
  deleted_elsewhere: () => ({ title: 'This session was deleted in another tab.', rest: 'A new session has begun.' }),
  wiped: () => ({ tone: 'good', title: 'This device is empty.', rest: 'All sessions, images and settings of this page were removed from this browser.' }),
  restored: ({ amount, known }) => ({
    tone: 'good',
    title: amount === 0 ? 'Nothing to restore.' : `${count(amount, 'session')} restored.`,
    rest: known > 0 ? `${count(known, 'session')} of the file ${known === 1 ? 'is' : 'are'} already here, unchanged.` : '',
  }),
  not_a_backup: () => ({ title: 'This file is not a backup of MedServer.', rest: 'Nothing was changed.' }),
  newer_backup: () => ({ title: 'This backup was made by a newer MedServer.', rest: 'Nothing was changed. Update this server, then restore it.' }),
  broken_backup: () => ({ title: 'This backup is damaged.', rest: 'Nothing was changed. Use another copy of the file.' }),
  unreadable_backup: () => ({ title: 'This file could not be read.', rest: 'Nothing was changed. It may have been moved, or it is too large.' }),
  no_text: () => ({ title: 'Write what you want to know about the image.' }),
  already_replying: () => ({ title: 'An answer is still arriving.', rest: 'Wait for its end or stop it, then send.' }),
  loading: () => ({ title: 'The model is still loading.', rest: 'Your message stays here. Send it when the model is ready.' }),
  unknown_image_type: ({ names }) => ({
    title: `Not added: ${names.join(', ')}.`, rest: 'Images can be PNG, JPEG or WebP. A DICOM file has to be exported as one of these first.',
  }),
  unreadable_image: ({ name }) => ({ title: `${name} could not be read.`, rest: `Remove it and add it again. ${KEPT}` }),
  no_sample: () => ({ title: 'The sample images could not be fetched.', rest: 'Check the network, then try again.' }),
  not_forgotten: () => ({ title: 'The server did not forget this device.', rest: 'Check the network, then try again.' }),
  no_viewer: () => ({ title: 'The image viewer could not be fetched.', rest: 'Check the network, then try again.' }),
  unreachable: () => ({ title: 'The server cannot be reached.', rest: `Check the network, then send again. ${KEPT}` }),
  images_not_supported: () => ({ title: 'This model reads text only.', rest: 'Remove the images to send your message.' }),
  too_many_images: ({ amount, limit }) => ({
    title: `${count(amount, 'image')}; one message can hold ${figures.format(limit)}.`, rest: `Remove ${figures.format(amount - limit)}.`,
  }),
  payload_too_large: ({ number, name, amount, limit }) => ({
    title: `Image ${number} is too large: ${megabytes(amount)}; the limit is ${megabytes(limit)}.`, rest: `Remove or reduce ${name}.`,
  }),
  text_too_long: ({ amount, limit }) => ({
    title: `${count(amount, 'character')}; one message can hold ${figures.format(limit)}.`, rest: 'Shorten the message.',
  }),
  conversation_too_long: ({ amount, limit }) => ({
    title: `The conversation is too long: ${count(amount, 'character')}; the limit is ${figures.format(limit)}.`, rest: 'Start a new session.',
  }),
  too_many_messages: ({ limit }) => ({
    title: `The conversation has reached ${count(limit, 'message')}.`, rest: 'Start a new session.',
  }),
};

const TITLES_BY_STATUS = {
  401: 'Not sent: this server asks for a token.',
  403: 'Not sent: this server does not let this address in.',
  413: 'Not sent: too large for this server.',
  429: 'Not sent: too many requests.',
  503: 'Not sent: the model is not available yet.',
  507: 'Not sent: the server ran out of memory.',
};

const ADVICE_BY_STATUS = {
  413: 'Send fewer or smaller images.',
  507: 'Send fewer images or a shorter conversation.',
};

function otherTitle(status) {
  if (!status) return 'No answer came.';
  return status >= 500 ? 'Not sent: the server failed.' : 'Not sent: the server refused it.';
}

function refused(notice, now) {
  const wait = notice.retryAt > now ? `Try again in ${timeUntil(notice.retryAt, now)}.` : '';
  const said = notice.sentence ?? (notice.status ? `The server answered ${notice.status} without a reason.` : failureLine(notice));
  return {
    title: TITLES_BY_STATUS[notice.status] ?? otherTitle(notice.status),
    rest: [said, wait || ADVICE_BY_STATUS[notice.status], KEPT].filter(Boolean).join(' '),
    code: [notice.status || null, notice.code, notice.status >= 500 ? notice.requestId : null].filter(Boolean).join(' · ') || null,
  };
}

/** A notice above the message box: {tone, title, rest, code}. `now` counts Retry-After down. */
export function notice(about, now) {
  // A status or a sentence means that the server refused, and then its own words come first.
  const ours = about.status || about.sentence ? null : own(NOTICES, about.code)?.(about);
  const tone = ours && about.code !== 'unreachable' ? 'warn' : 'bad';
  return { tone, rest: '', code: null, ...(ours ?? refused(about, now)) };
}
