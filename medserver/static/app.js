/**
 * Puts the page together: the state, what can be done, what is seen, and the watch on the server. Everything else lives in js/.
 */
import { copyText } from './js/clipboard.js';
import { replying } from './js/conversation.js';
import { answerFile, conversationFile } from './js/export.js';
import { oncePerFrame } from './js/frame.js';
import { HealthWatch } from './js/health.js';
import * as images from './js/image_file.js';
import { milestone } from './js/milestones.js';
import { followReply } from './js/reply.js';
import { filesOf, loadSamples } from './js/samples.js';
import { save } from './js/save.js';
import { Session } from './js/session.js';
import { heard, initialState, samplesFound, unheard } from './js/state.js';
import { Store } from './js/store.js';
import { Page } from './js/views/page.js';
import * as words from './js/words.js';

const now = () => Date.now();
const ask = (...request) => fetch(...request);
const clock = { setTimeout: (work, after) => setTimeout(work, after), clearTimeout: (timer) => clearTimeout(timer) };

const store = new Store(initialState);
const watch = new HealthWatch({
  fetch: ask,
  clock,
  page: document,
  onHealth: (health) => {
    if (health.demo && !store.state.health) loadSamples(ask).then((samples) => store.change(samplesFound(samples)));
    store.change(heard(health));
  },
  onLost: () => store.change(unheard()),
});
const session = new Session({
  store,
  images,
  filesOf: (sample) => filesOf(sample, ask),
  now,
  follow: (request) => followReply({ ...request, fetch: ask, now }),
  onUnreachable: () => watch.askNow(),
});

const page = new Page({
  onType: (text) => session.type(text),
  onFiles: (files) => session.addFiles(files),
  onRemove: (id) => { session.removeImage(id); render(); },
  onModel: (model) => session.chooseModel(model),
  onThinking: (choice) => session.chooseThinking(choice),
  onDismiss: () => { session.dismissNotice(); page.composer.focus(); },
  onSend: () => {
    session.send();
    if (replying(store.state.turns)) page.scroll.toEnd();
  },
  onTryAgain: () => { session.tryAgain(); page.composer.focus(); },
  onStop: () => session.stop(),
  onSuggestion: async (sample) => { await session.trySample(sample); page.composer.focus(); },
  onCopy: (text) => {
    const copied = copyText(text, document);
    page.announcer.say(copied ? words.turn.copied : words.turn.copyFailed);
    return copied;
  },
  onDownload: () => save(conversationFile(store.state.turns, origin()), document),
  onDownloadAnswer: (reply) => save(answerFile(reply, origin()), document),
  onNewSession: () => (isEmpty(store.state) ? page.composer.focus() : page.clear.open()),
  onClear: () => { session.startNew(); page.composer.focus(); },
});

const origin = () => ({ health: store.state.health, at: now() });
const isEmpty = ({ turns, draft }) => turns.length === 0 && draft.text === '' && draft.images.length === 0;
const render = () => page.update(store.state, now());
const renderSoon = oncePerFrame(render, (work) => requestAnimationFrame(work));

let before = store.state;
store.addEventListener('change', () => {
  const passed = milestone(before, store.state);
  before = store.state;
  if (passed) page.announcer.say(words.announcement(passed, now()));
  renderSoon();
});

// Only what shows a running time needs the clock.
setInterval(() => {
  const { turns, notice } = store.state;
  if (replying(turns) || notice?.retryAt) renderSoon();
}, 1000);

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented || document.querySelector('dialog[open]')) return;
  session.stop();
});

document.getElementById('app').replaceWith(page.node);
render();
watch.start();
if (matchMedia('(hover: hover)').matches) page.composer.focus();
