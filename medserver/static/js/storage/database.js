/**
 * Opens the one database of this page and brings an older layout up to date; does not know what is done with it.
 *
 * sessions  {id, title, named, pinned, created, changed, revision, chosen, settings}: all that the list needs, so that it reads no message
 * messages  {id, session, place, …turn}, whose images are without their bytes
 * images    {id, session, blob}, where the session of a draft's is its tab
 * drafts    {tab, session, text, images, at}
 */
import { deleteDB, openDB } from '../../vendor/idb/index.js';

export const NAME = 'medserver';

// Each step makes the next layout from the one before; a step that was once released never changes.
const LAYOUTS = [
  (database) => {
    database.createObjectStore('sessions', { keyPath: 'id' });
    for (const store of ['messages', 'images']) database.createObjectStore(store, { keyPath: 'id' }).createIndex('session', 'session');
  },
  (database) => database.createObjectStore('drafts', { keyPath: 'tab' }),
];

/** `onBlocked`: a tab with an older page holds the older layout. `onGone`: another tab needs it, or the browser took it away. */
export function openDatabase({ onBlocked, onGone }) {
  return openDB(NAME, LAYOUTS.length, {
    upgrade: (database, from) => LAYOUTS.slice(from).forEach((step) => step(database)),
    blocked: onBlocked,
    blocking: (_, __, event) => {
      event.target.close();
      onGone();
    },
    terminated: onGone,
  });
}

export function deleteDatabase({ onBlocked }) {
  return deleteDB(NAME, { blocked: onBlocked });
}
