/**
 * The sessions on this device.
 */
import { count } from './figures.js';

export const leaving = {
  heading: 'Leave this session?',
  meaning: {
    draft: 'The message you have not sent is discarded. The session itself is kept under Sessions.',
    unkept: 'This session could not be saved on this device. It is lost when you leave it.',
  },
  confirm: 'Leave',
  keep: 'Stay here',
};

const month = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric' });
const dayAndTime = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false });

const GROUPS = { pinned: () => 'Pinned', today: () => 'Today', yesterday: () => 'Yesterday', week: () => 'Previous 7 days', month: (at) => month.format(at) };

export const sessions = {
  heading: 'Sessions',
  show: 'Sessions',
  close: 'Close sessions',
  search: 'Search sessions',
  group: ({ kind, at }) => GROUPS[kind](at),
  changed: (at) => dayAndTime.format(at),
  untitled: 'Untitled',
  none: 'No sessions yet. They appear here once you have asked something.',
  notFound: (query) => `Nothing found for “${query}”.`,
  found: (n) => `${count(n, 'session')} found`,
  opened: (title) => `Session opened: ${title}`,
  actions: (title) => `Actions for ${title}`,
  rename: 'Rename',
  title: 'Title',
  save: 'Save',
  cancel: 'Cancel',
  pin: 'Pin',
  unpin: 'Unpin',
  backUp: 'Back up',
  remove: 'Delete',
  backUpAll: 'Back up all',
  restore: 'Restore',
  wipe: 'Wipe this device',
};
