/**
 * Every sentence the page can say, in one place, ready to be translated; knows nothing of the DOM and decides nothing.
 *
 * What happened, what it means, what to do. No exclamation marks. The pages beside the conversation have theirs in other_pages.js.
 */
export * from './about.js';
export * from './announcement.js';
export * from './composer.js';
export * from './download.js';
export { ending } from './ending.js';
export { figure } from './figures.js';
export * from './notice.js';
export * from './page.js';
export * from './sessions.js';
export * from './settings.js';
export * from './status.js';
export { keeping, wiping } from './storage.js';
export * from './turn.js';
export * from './viewer.js';
