/**
 * The whole state of the page as one frozen value, and every change it knows; knows neither the wire nor the page.
 *
 * session        {id, title, named, pinned, created}
 * conversation   as in conversation.js; `turns` is its visible path
 * draft          as in draft.js; `editing` is {id, text} of the turn that is being rewritten
 * undo           {kind: turns | draft | session, conversation | draft | title}: what can be brought back
 * settings       of this session; `preferences` {theme, prompts} of this device; `serverPrompts` {text, image}, null until they are known
 * notice         {code, …figures}, with `ofDraft` where it is about what is typed
 * health         the last answer to a poll, `link` what that poll met: connecting, up or down; `pace`, of pace.js, how fast loading goes on
 * shelf          {sessions, query, found}: the sessions on this device
 * unkept         {session, draft}: {code} of why either is not kept on this device, or null
 * samples, paired   what the server brings along, and whether it let this device in by a code
 */
import * as conversation from './conversation.js';
import { draftOf, emptyDraft, isEmpty } from './draft.js';
import { moved } from './order.js';
import { paced, unknownPace } from './pace.js';
import { titleOf } from './sessions/title.js';
import { carriedOver, settingsFrom, untouched } from './settings/settings.js';

const newSession = Object.freeze({ id: null, title: '', named: false, pinned: false, created: null });

export const initialState = Object.freeze({
  session: newSession,
  conversation: conversation.empty,
  turns: conversation.empty.turns,
  draft: emptyDraft,
  editing: null,
  undo: null,
  settings: untouched,
  preferences: Object.freeze({ theme: 'dark', prompts: Object.freeze([]) }),
  serverPrompts: null,
  notice: null,
  samples: Object.freeze([]),
  health: null,
  pace: unknownPace,
  paired: false,
  link: 'connecting',
  shelf: Object.freeze({ sessions: Object.freeze([]), query: '', found: null }),
  unkept: Object.freeze({ session: null, draft: null }),
});

const change = (state, changes) => Object.freeze({ ...state, ...changes });
const saying = (state, next, changes = {}) => change(state, { conversation: next, turns: next.turns, ...changes });

/** What was said about the draft is no longer true once the draft has changed. */
const redraft = (state, text, images) =>
  change(state, { draft: draftOf(text, images), notice: state.notice?.ofDraft ? null : state.notice });

const withoutNotice = (state, code) => (state.notice?.code === code ? null : state.notice);

/** Every image that something of the state still shows or could bring back. */
export function imagesHeld({ conversation: { all }, draft, undo }) {
  const turns = [...all, ...(undo?.conversation?.all ?? []), draft, undo?.draft];
  return turns.flatMap((turn) => turn?.images ?? []);
}

export const typed = (text) => (state) => redraft(state, text, state.draft.images);

/** What stood there can be brought back. */
export const draftReplaced = (text) => (state) => change(redraft(state, text, []), {
  undo: isEmpty(state.draft) ? null : Object.freeze({ kind: 'draft', draft: state.draft }),
});

/** As it was before the page was loaded again. */
export const drafted = ({ text, images }) => (state) => redraft(state, text, images);

export const imagesAdded = (images) => (state) => redraft(state, state.draft.text, [...state.draft.images, ...images]);

export const imageRemoved = (id) => (state) =>
  redraft(state, state.draft.text, state.draft.images.filter((image) => image.id !== id));

/** `to` is the place among the images of the draft, from 0. */
export const imageMoved = (id, to) => (state) => {
  const { text, images } = state.draft;
  return redraft(state, text, moved(images, images.findIndex((image) => image.id === id), to));
};

export const imageLabelled = (id, label) => (state) =>
  redraft(state, state.draft.text, state.draft.images.map((image) => (image.id === id ? Object.freeze({ ...image, label }) : image)));

/** null is the server's own choice. */
export const set = (name, value) => (state) => change(state, { settings: Object.freeze({ ...state.settings, [name]: value }) });

export const preferred = (changes) => (state) => change(state, { preferences: Object.freeze({ ...state.preferences, ...changes }) });

export const promptsFound = (serverPrompts) => (state) => change(state, { serverPrompts: Object.freeze(serverPrompts) });

export const samplesFound = (samples) => (state) => change(state, { samples: Object.freeze(samples) });

export const pairingFound = (paired) => (state) => change(state, { paired });

export const noticed = (notice) => (state) => change(state, { notice });

/** `ids` of the question, its reply, and the session that it may begin. */
export const asked = ({ ids: [question, reply, session], at, made }) => (state) => {
  const next = conversation.ask(state.conversation, { ...state.draft, ids: [question, reply], at, made });
  return saying(state, next, { session: begun(state, session, at), draft: emptyDraft, notice: null, undo: null });
};

/** The first question gives a session its name, until somebody does. */
const begun = ({ session, conversation: { all }, draft }, id, at) => (all.length > 0 ? session : Object.freeze({
  ...session, id: session.id ?? id, created: session.created ?? at, title: session.named ? session.title : titleOf(draft.text),
}));

/** Any step of the conversation that `step` takes; what could be undone or was being rewritten belongs to the one before. */
export const stepped = (step) => (state) => saying(state, step(state.conversation), { editing: null, undo: null, notice: null });

export const received = (event, at) => (state) => growing(state, conversation.receive(state.conversation, event, at));

const growing = (state, next) => (next === state.conversation ? state : saying(state, next));

export const ended = (ending, at) => (state) =>
  saying(state, conversation.end(state.conversation, ending, at), { notice: withoutNotice(state, 'already_replying') });

/** It was not begun: the conversation is as before, and a new question is back in the box, before whatever has been typed there meanwhile. */
export const handedBack = (before, notice) => (state) => {
  const { text, images } = state.turns.at(-2);
  const whole = [text, state.draft.text].filter(Boolean).join('\n\n');
  return saying(state, before, { draft: draftOf(whole, [...images, ...state.draft.images]), notice });
};

/** The same for what was no new question; `editing` is what had been rewritten. */
export const steppedBack = (before, editing, notice) => (state) => saying(state, before, { editing, notice });

export const editing = (about) => (state) => change(state, { editing: about && Object.freeze(about) });

export const turnRemoved = (id) => (state) => saying(state, conversation.remove(state.conversation, id), {
  editing: null, notice: null, undo: Object.freeze({ kind: 'turns', conversation: state.conversation }),
});

export const undone = () => (state) => {
  const { conversation: talk = state.conversation, draft = state.draft } = state.undo ?? {};
  return saying(state, talk, { draft, undo: null });
};

export const undoOffered = (undo) => (state) => change(state, { undo: undo && Object.freeze(undo) });

export const cleared = () => (state) =>
  saying(state, conversation.empty, {
    session: newSession, draft: emptyDraft, settings: carriedOver(state.settings), editing: null, undo: null, notice: null,
  });

/** A session that was kept on this device takes the place of the one that is seen. */
export const opened = ({ session, conversation: kept, settings }) => (state) => change(cleared()(state), {
  session: Object.freeze(session), conversation: kept, turns: kept.turns, settings: settingsFrom(settings),
});

/** What another tab has written into the session that is seen. */
export const joined = ({ session, conversation: kept }) => (state) =>
  saying(state, kept, { session: Object.freeze(session), editing: state.editing && conversation.turnOf(kept, state.editing.id) ? state.editing : null, undo: null });

export const sessionNamed = ({ title, named, pinned }) => (state) => change(state, { session: Object.freeze({ ...state.session, title, named, pinned }) });

export const shelved = (changes) => (state) => change(state, { shelf: Object.freeze({ ...state.shelf, ...changes }) });

/** `part` is session or draft, each of which is written by itself; null once it is kept again. */
export const keeping = (part, trouble) => (state) => (
  state.unkept[part]?.code === trouble?.code ? state : change(state, { unkept: Object.freeze({ ...state.unkept, [part]: trouble }) }));

/** {code} of why something is not kept on this device, or null. */
export const troubleIn = ({ unkept }) => unkept.session ?? unkept.draft;

/** After this device was wiped: nothing of what it kept stays in the page either. */
export const forgotten = () => (state) => change(state, { shelf: initialState.shelf, preferences: initialState.preferences, unkept: initialState.unkept });

/** `at` is when. */
export const heard = (health, at = 0) => (state) => {
  // Only after the watch itself had met nobody: a single lost request has to stay explained.
  const outdated = state.link === 'down' ? ['unreachable', 'loading'] : ['loading'];
  const isOutdated = health.status !== 'loading' && outdated.includes(state.notice?.code);
  const notice = isOutdated ? null : state.notice;
  const { stage = null, done = null, total = null } = health.loading ?? {};
  return change(state, { health, link: 'up', notice, pace: paced(state.pace, { stage, done, total }, at) });
};

/** The last figures stay, so that the limits and the banner do not blink while a server restarts. */
export const unheard = () => (state) => (state.link === 'down' ? state : change(state, { link: 'down' }));
