/**
 * Makes an image of a conversation from a file somebody chose; does not know where it will be shown or sent.
 *
 * An image: {id, name, type, size, file, preview, label}. `preview` is a blob: address that must be given back with `forget`; `label` is empty
 * until somebody says what the image is.
 */
import { base64Of } from './storage/base64.js';

const TYPES = { 'image/png': /\.png$/i, 'image/jpeg': /\.jpe?g$/i, 'image/webp': /\.webp$/i };

export const ACCEPTED = Object.keys(TYPES).join(',');

/** The server decodes these three only; a file's own word is trusted before its name, and the server trusts neither. */
export function typeOf({ type, name }) {
  if (type) return Object.hasOwn(TYPES, type) ? type : null;
  return Object.keys(TYPES).find((known) => TYPES[known].test(name)) ?? null;
}

export function sortFiles(files) {
  const all = [...files];
  return { accepted: all.filter(typeOf), rejected: all.filter((file) => !typeOf(file)) };
}

export function imageOf(file, id) {
  return Object.freeze({ id, name: file.name, type: typeOf(file), size: file.size, file, preview: URL.createObjectURL(file), label: '' });
}

/** One that was kept on this device, with its bytes. */
export function restored(image, file) {
  return Object.freeze({ ...image, file, preview: URL.createObjectURL(file) });
}

export function forget(image) {
  URL.revokeObjectURL(image.preview);
}

/** The file's own bytes, untouched, as a data: address. Rejects if the file is gone. */
export async function dataAddress({ type, file }) {
  return `data:${type};base64,${await base64Of(file)}`;
}
