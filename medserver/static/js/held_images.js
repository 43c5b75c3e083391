/**
 * Gives an image back to the browser as soon as nothing of the state shows it or could bring it back, whoever changed the state: a picture of
 * a patient must not stay reachable because one of the ways out forgot about it.
 */
import { imagesHeld } from './state.js';

/** `forget` is told each image once. */
export function letGoOfImages(store, forget) {
  let before = store.state;
  let held = byAddress(imagesHeld(before));
  store.addEventListener('change', () => {
    const { state } = store;
    const same = ['conversation', 'draft', 'undo'].every((part) => state[part] === before[part]);
    before = state;
    if (same) return;
    const now = byAddress(imagesHeld(state));
    const gone = [...held].filter(([address]) => !now.has(address));
    held = now;
    for (const [, image] of gone) forget(image);
  });
}

/** An image that was given a label is another value with the same address. */
const byAddress = (images) => new Map(images.map((image) => [image.preview, image]));
