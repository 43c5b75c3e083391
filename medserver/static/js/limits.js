/**
 * Compares what is about to be sent with what the server says it takes; knows no words and nothing of the wire.
 *
 * The server checks again and has the last word; this only saves somebody the upload.
 */
import { isEmpty } from './draft.js';
import { labelLines } from './label.js';

const MEGABYTE = 1024 * 1024;

/** Characters as the server counts them: a letter outside the basic plane is one, not two. */
export function countCharacters(text) {
  let surrogates = 0;
  for (const pair of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) surrogates += pair.length;
  return text.length - surrogates;
}

/** Every reason why this draft, in this conversation, would be refused: [{code, …figures}], the gravest first. */
export function problemsOf(draft, turns, health) {
  if (!health || isEmpty(draft)) return [];
  return [
    ...imageProblems(draft, turns, health),
    over('text_too_long', messageLength(draft), health.max_text_length),
    over('conversation_too_long', conversationLength(draft, turns), health.max_conversation_length),
    over('too_many_messages', messageCount(turns) + 1, health.max_history_messages),
  ].filter(Boolean);
}

function imageProblems(draft, turns, health) {
  const images = draft.images.length + turns.reduce((sum, turn) => sum + (turn.images?.length ?? 0), 0);
  if (images > 0 && health.supports_images === false) return [{ code: 'images_not_supported' }];
  return [
    over('too_many_images', draft.images.length, health.max_image_count),
    ...draft.images.map((image, index) => tooLarge(image, index, health.max_payload_mb)),
  ];
}

function tooLarge(image, index, limit) {
  const problem = over('payload_too_large', megabytesOf(image), limit);
  return problem && { ...problem, number: index + 1, name: image.name };
}

const megabytesOf = (image) => image.size / MEGABYTE;

/** How much of what the server takes the images of a draft use: {images, limit, size, each}, in megabytes. */
export function imageFigures(images, health) {
  const size = images.reduce((sum, image) => sum + megabytesOf(image), 0);
  return { images: images.length, limit: health?.max_image_count, size, each: health?.max_payload_mb };
}

/** Megabytes of an image that alone is more than the server takes, or null. */
export function excessOf(image, health) {
  return over('payload_too_large', megabytesOf(image), health?.max_payload_mb)?.amount ?? null;
}

function conversationLength(draft, turns) {
  return [...turns, draft].reduce((sum, message) => sum + messageLength(message), 0);
}

/** The lines that name its images are sent as part of a message. */
function messageLength({ text, images = [] }) {
  return [text, ...labelLines(images)].reduce((sum, part) => sum + countCharacters(part), 0);
}

/** A reply without text is not sent back, so it is not counted. */
function messageCount(turns) {
  return turns.filter((turn) => turn.role === 'user' || turn.text !== '').length;
}

function over(code, amount, limit) {
  return Number.isFinite(limit) && amount > limit ? { code, amount, limit } : null;
}
