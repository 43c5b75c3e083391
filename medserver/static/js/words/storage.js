/**
 * What is kept on this device, and why it is not.
 */
const SPACE = 'Delete sessions, or free space on this device.';

/** Why something is not kept on this device; a person can go on all the same. */
const UNKEPT = {
  quota: { title: 'Not saved: the storage of this browser is full.', rest: `What you see stays until this page is closed. ${SPACE}` },
  unavailable: {
    title: 'Not saved: this browser does not let the page store anything.',
    rest: 'What you see is lost when this page is closed. A private window or a setting can be the reason; download what you need.',
  },
  newer: { title: 'Not saved: a newer version of this page has been used here.', rest: 'Reload this page.' },
  blocked: { title: 'Not saved: another tab with an older version of this page is in the way.', rest: 'Close the other tabs of MedServer.' },
  failed: { title: 'Not saved: writing to this device failed.', rest: 'What you see stays until this page is closed. Download what you need.' },
};

export const keeping = {
  label: 'Storage on this device',
  again: 'Try again',
  trouble: ({ code }) => UNKEPT[code] ?? UNKEPT.failed,
};

export const STORAGE = {
  storage_quota: () => ({ title: 'The storage of this browser is full.', rest: `Nothing was changed. ${SPACE}` }),
  storage_unavailable: () => ({ title: 'This browser does not let the page store anything.', rest: 'A private window or a setting can be the reason.' }),
  storage_newer: () => ({ title: 'A newer version of this page has been used here.', rest: 'Reload this page.' }),
  storage_blocked: () => ({ title: 'Another tab of MedServer is in the way.', rest: 'Close the other tabs, then try again.' }),
  storage_failed: () => ({ title: 'The storage of this device could not be read or written.', rest: 'Try again, or reload this page.' }),
};

export const wiping = {
  heading: 'Wipe this device?',
  meaning: 'Every session, every image and every setting of MedServer in this browser is removed, in all tabs. This cannot be undone.',
  confirm: 'Wipe this device',
  keep: 'Keep everything',
};
