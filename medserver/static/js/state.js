/**
 * The whole state of the page as one frozen value, and every change it knows; knows neither the wire nor the page.
 *
 * {turns, draft: {text, images}, thinking, model, notice, samples, health, link}. A notice is {code, …figures}, with `ofDraft` where it is about what is typed;
 * `link` is what the last poll met: connecting, up or down.
 */
import * as conversation from './conversation.js';

export const emptyDraft = Object.freeze({ text: '', images: Object.freeze([]) });

export const initialState = Object.freeze({
  turns: Object.freeze([]),
  draft: emptyDraft,
  thinking: 'auto',
  model: null,
  notice: null,
  samples: Object.freeze([]),
  health: null,
  link: 'connecting',
});

const change = (state, changes) => Object.freeze({ ...state, ...changes });
const draftOf = (text, images) => Object.freeze({ text, images: Object.freeze([...images]) });

/** What was said about the draft is no longer true once the draft has changed. */
const redraft = (state, text, images) =>
  change(state, { draft: draftOf(text, images), notice: state.notice?.ofDraft ? null : state.notice });

const withoutNotice = (state, code) => (state.notice?.code === code ? null : state.notice);

export const typed = (text) => (state) => redraft(state, text, state.draft.images);

export const imagesAdded = (images) => (state) => redraft(state, state.draft.text, [...state.draft.images, ...images]);

export const imageRemoved = (id) => (state) =>
  redraft(state, state.draft.text, state.draft.images.filter((image) => image.id !== id));

export const thinkingChosen = (thinking) => (state) => change(state, { thinking });

/** null is the server's first one. */
export const modelChosen = (model) => (state) => change(state, { model });

export const samplesFound = (samples) => (state) => change(state, { samples: Object.freeze(samples) });

export const noticed = (notice) => (state) => change(state, { notice });

export const asked = (ids) => (state) =>
  change(state, { turns: conversation.ask(state.turns, { ...state.draft, ids }), draft: emptyDraft, notice: null });

export const askedAgain = (id) => (state) =>
  change(state, { turns: conversation.askAgain(state.turns, { id }), notice: null });

export const received = (event, at) => (state) => change(state, { turns: conversation.receive(state.turns, event, at) });

export const ended = (ending, at) => (state) =>
  change(state, { turns: conversation.end(state.turns, ending, at), notice: withoutNotice(state, 'already_replying') });

/** The question goes back into the box, before whatever has been typed there meanwhile. */
export const handedBack = (notice) => (state) => {
  const back = conversation.withdraw(state.turns);
  const text = [back.text, state.draft.text].filter(Boolean).join('\n\n');
  return change(state, { turns: back.turns, draft: draftOf(text, [...back.images, ...state.draft.images]), notice });
};

export const cleared = () => (state) =>
  change(state, { turns: initialState.turns, draft: emptyDraft, notice: null });

export const heard = (health) => (state) => {
  // Only after the watch itself had met nobody: a single lost request has to stay explained.
  const outdated = state.link === 'down' ? ['unreachable', 'loading'] : ['loading'];
  const isOutdated = health.status !== 'loading' && outdated.includes(state.notice?.code);
  const notice = isOutdated ? null : state.notice;
  return change(state, { health, link: 'up', notice });
};

/** The last figures stay, so that the limits and the banner do not blink while a server restarts. */
export const unheard = () => (state) => (state.link === 'down' ? state : change(state, { link: 'down' }));
