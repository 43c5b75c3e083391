/**
 * Puts the page together: the state, what can be done, what is seen, and the watch on the server. Everything else lives in js/.
 */
import { copyText } from './js/clipboard.js';
import { lastReply, replying } from './js/conversation.js';
import { Device } from './js/device.js';
import { isEmpty } from './js/draft.js';
import { answerFile, conversationFile } from './js/export/file.js';
import { oncePerFrame } from './js/frame.js';
import { letGoOfImages } from './js/held_images.js';
import { HealthWatch } from './js/health.js';
import { newId } from './js/ids.js';
import * as images from './js/image_file.js';
import { milestone } from './js/milestones.js';
import { forgetPairing, isPaired } from './js/paired.js';
import { followReply } from './js/reply.js';
import { filesOf, loadSamples } from './js/samples.js';
import { promptsFrom, withoutPrompt, withPrompt } from './js/settings/prompts.js';
import { loadServerPrompts } from './js/settings/server_prompts.js';
import { putOn, themeFrom } from './js/settings/theme.js';
import { save } from './js/save.js';
import { Session } from './js/session.js';
import { Shelf } from './js/sessions/shelf.js';
import { heard, initialState, pairingFound, preferred, promptsFound, samplesFound, unheard } from './js/state.js';
import { Archive } from './js/storage/archive.js';
import * as base64 from './js/storage/base64.js';
import { Drafts } from './js/storage/drafts.js';
import { Persistence } from './js/storage/persistence.js';
import { Recorder } from './js/storage/recorder.js';
import { Tabs } from './js/storage/tabs.js';
import { Visit } from './js/storage/visit.js';
import { Store } from './js/store.js';
import { Page } from './js/views/page.js';
import * as words from './js/words/index.js';

const now = () => Date.now();
const ask = async (...request) => {
  const response = await fetch(...request);
  if (response.status === 401) location.replace('/pair'); // no longer known here: it ends after thirty days, or was revoked
  return response;
};
const clock = { setTimeout: (work, after) => setTimeout(work, after), clearTimeout: (timer) => clearTimeout(timer) };

const store = new Store(initialState);
const watch = new HealthWatch({
  fetch: ask,
  clock,
  page: document,
  onHealth: (health) => {
    if (!store.state.health) greet(health);
    store.change(heard(health, now()));
  },
  onLost: () => store.change(unheard()),
});
const session = new Session({
  store,
  images,
  filesOf: (sample) => filesOf(sample, ask),
  now,
  newId,
  follow: (request) => followReply({ ...request, fetch: ask, now }),
  onTrouble: () => watch.lookCloser(),
});

letGoOfImages(store, images.forget);

const device = new Device(() => localStorage);
store.change(preferred({ theme: themeFrom(device.read('theme')), prompts: promptsFrom(device.read('prompts')) }));
putOn(store.state.preferences.theme, document);
const archive = new Archive();
const tabs = new Tabs();
const visit = new Visit(() => sessionStorage, newId);
const persistence = new Persistence(() => navigator.storage);
const drafts = new Drafts({ store, archive, visit, restored: images.restored, now, clock });
const recorder = new Recorder({
  store, archive, visit, now, clock,
  onKept: (record) => { shelf.listed(record); persistence.ask(); },
  onRemoved: (id) => shelf.unlisted(id),
  onGone: (id) => shelf.lost(id),
});
const shelf = new Shelf({ store, session, recorder, drafts, archive, tabs, visit, restored: images.restored, base64, now, clock, newId });

/** What is asked of a server once, as soon as it is there. */
function greet({ demo }) {
  if (demo) loadSamples(ask).then((samples) => store.change(samplesFound(samples)));
  isPaired(ask).then((paired) => store.change(pairingFound(paired)));
  loadServerPrompts(ask).then((prompts) => prompts && store.change(promptsFound(prompts)));
}

const stop = () => {
  if (session.busy) session.stop();
  else if (replying(store.state.turns)) tabs.tell('stop', store.state.session.id);
};

/** What makes the last reply grow is followed to its end. */
const asking = (work) => {
  work();
  if (replying(store.state.turns)) page.scroll.toEnd();
};

const page = new Page({
  onType: (text) => session.type(text),
  onFiles: (files) => session.addFiles(files),
  onRemove: (id) => { session.removeImage(id); render(); },
  onMoveImage: (id, to) => {
    session.moveImage(id, to);
    render();
    const { images } = store.state.draft;
    page.announcer.say(words.draftImages.moved(images[to].name, to + 1, images.length));
  },
  onLabelImage: (id, label) => session.labelImage(id, label),
  onOpenImage: (id, opener) => page.openImage(id, opener),
  onNoViewer: () => session.say('no_viewer'),
  onSetting: (name, value) => session.set(name, value),
  onKeepPrompt: (prompt) => prefer('prompts', withPrompt(store.state.preferences.prompts, prompt)),
  onForgetPrompt: (name) => prefer('prompts', withoutPrompt(store.state.preferences.prompts, name)),
  onTheme: (theme) => prefer('theme', theme),
  onAccept: (version) => { device.keep('notice', version); page.composer.focus(); },
  onDismiss: () => { session.dismissNotice(); page.composer.focus(); },
  onSend: () => asking(() => session.send()),
  onStop: stop,
  onSuggestion: async (sample) => { await session.trySample(sample); page.composer.focus(); },
  onCopy: (text) => {
    const copied = copyText(text, document);
    page.announcer.say(copied ? words.turn.copied : words.turn.copyFailed);
    return copied;
  },
  onVersion: (id) => session.chooseVersion(id),
  onEdit: (id) => session.edit(id),
  onRetype: (text) => session.retype(text),
  onCancelEdit: () => session.cancelEdit(),
  onFinishEdit: () => asking(() => session.finishEdit()),
  onRegenerate: (id) => asking(() => session.regenerate(id)),
  onContinue: () => asking(() => session.continueAnswer()),
  onAnswerNow: (id) => asking(() => session.answerNow(id)),
  onRemoveTurn: (id) => { session.remove(id); render(); page.undo.undo.focus(); },
  onUndo: () => {
    if (store.state.undo.kind === 'session') shelf.bringBack();
    else session.undo();
    page.composer.focus();
  },
  onDismissUndo: () => { session.dismissUndo(); page.composer.focus(); },
  onDownload: () => page.downloading.open({ hasAnswer: lastReply(store.state.turns) !== null }),
  onDownloadChosen: ({ scope, ...how }) => {
    const { turns } = store.state;
    const file = scope === 'answer' ? answerFile(lastReply(turns), { ...how, at: now() }) : conversationFile(store.state, { ...how, at: now() });
    save(file, document);
  },
  onDownloadAnswer: (reply) => save(answerFile(reply, { format: 'markdown', thinking: false, at: now() }), document),
  onNewSession: () => leaving(startNew),
  onKeepAgain: () => { drafts.flush(); recorder.flush(); },
  onOpenSession: (id) => leaving(async () => { await shelf.open(id); page.scroll.toEnd(); }),
  onRename: (id, title) => shelf.rename(id, title),
  onPin: (id, pinned) => shelf.pin(id, pinned),
  onRemoveSession: async (id) => { await shelf.remove(id); render(); page.undo.undo.focus(); },
  onSearch: (query) => shelf.search(query),
  onBackUp: async (id) => {
    const file = await shelf.backUp(id);
    if (file) save(file, document);
  },
  onRestore: (file) => shelf.restore(file),
  onWipe: async () => { await shelf.wipe(); device.forget(); },
  onForget: async () => { if (!await forgetPairing(ask)) session.say('not_forgotten'); else location.replace('/pair'); },
  sessionsShown: { read: () => device.read('sessions-shown'), keep: (shown) => device.keep('sessions-shown', shown) },
});

/** Kept on this device, and said where it cannot be. */
function prefer(name, value) {
  store.change(preferred({ [name]: value }));
  if (!device.keep(name, value)) page.announcer.say(words.settings.notKept);
}

/** Asks before something is lost that is nowhere else. */
function leaving(work) {
  const loss = lossOf(store.state);
  if (loss) page.leave.open({ meaning: words.leaving.meaning[loss], onConfirm: work });
  else work();
}

function startNew() {
  session.startNew();
  page.composer.focus();
}

/** What another session in this one's place would lose: draft, unkept or null. */
function lossOf({ turns, draft, unkept }) {
  if (unkept.session && turns.length > 0) return 'unkept';
  return isEmpty(draft) ? null : 'draft';
}

const render = () => page.update(store.state, now());
const renderSoon = oncePerFrame(render, (work) => requestAnimationFrame(work));

let before = store.state;
store.addEventListener('change', () => {
  const passed = milestone(before, store.state);
  const { theme } = store.state.preferences;
  if (theme !== before.preferences.theme) putOn(theme, document);
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
  stop();
});

document.getElementById('app').replaceWith(page.node);
render();
watch.start();
if (device.read('notice') !== words.clinicalNotice.version) page.clinicalNotice.open();
shelf.start().then(() => store.state.turns.length > 0 && page.scroll.toEnd());
addEventListener('pagehide', () => { recorder.flush(); drafts.flush(); visit.leave(); });
addEventListener('pageshow', (event) => event.persisted && visit.begin());
if (matchMedia('(hover: hover)').matches) page.composer.focus();
