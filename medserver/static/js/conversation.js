/**
 * One conversation as a tree of turns: what was said, the versions of it, and the one path through them that is seen and sent; knows neither
 * the wire nor the page, and reads no clock of its own.
 *
 * A conversation: {all, chosen, turns}. `all` holds every turn, parents first; `turns` is the path that is seen. A turn: {id, parent, branch, role, text, at}.
 * Turns of one parent are versions of each other, and `chosen` says which is seen; what follows a turn has its `branch` as parent. An edited
 * answer shares the branch of the one it was made from, so that what followed stays. A question also has {images}; a reply {thinking, phase,
 * ahead, thinkingFrom, thinkingTo, ending, made, edited}, whose phase goes sending → waiting → thinking → answering → ended. A turn that is
 * `removed` is an empty place that only holds the tree together. `at` is always milliseconds.
 */
import { byEdit, bySilence } from './ending.js';

const freeze = Object.freeze;
export const ROOT = '';

export const empty = conversationOf([], {});

/** As it was kept; a turn whose parent was taken away elsewhere begins anew rather than be lost. */
export function kept(all, chosen) {
  const branches = new Set([ROOT]);
  return conversationOf(all.map((turn) => {
    const mended = branches.has(turn.parent) ? turn : freeze({ ...turn, parent: ROOT });
    branches.add(turn.branch);
    return mended;
  }), chosen);
}

export function ask(conversation, { text, images, ids, at, made = null }) {
  return withQuestion(conversation, endOf(conversation), { text, images, ids, at, made });
}

/** Another version of a question that was asked before. */
export function askInstead(conversation, id, { text, ids, at, made = null }) {
  const { parent, images } = turnOf(conversation, id);
  return withQuestion(conversation, parent, { text, images, ids, at, made });
}

/** Another answer to the same question; `id` is the answer's, or the question's where it has none. */
export function answerAgain(conversation, id, { newId, at, made = null }) {
  const turn = turnOf(conversation, id);
  return withTurn(conversation, newReply(newId, turn.role === 'user' ? turn.branch : turn.parent, at, made));
}

/** The last reply opens again and goes on; what the model is to go on from is exactly what stands there. */
export function goOn(conversation, { made = null } = {}) {
  const reply = conversation.turns.at(-1);
  return replaced(conversation, reply.id, { ...reply, text: reply.text.trimEnd(), phase: 'sending', ahead: null, ending: null, made: reply.made ?? made });
}

/** The same, from only the beginning of what was said, as a new version. */
export function goOnFrom(conversation, text, { newId, at, made = null }) {
  const { parent, thinking, thinkingFrom, thinkingTo, edited } = conversation.turns.at(-1);
  return withTurn(conversation, freeze({ ...newReply(newId, parent, at, made), text: text.trimEnd(), thinking, thinkingFrom, thinkingTo, edited }));
}

export function editAnswer(conversation, id, { text, newId, at }) {
  const turn = turnOf(conversation, id);
  return withTurn(conversation, freeze({ ...turn, id: newId, text, at, edited: true, ending: byEdit() }));
}

export function choose(conversation, id) {
  const { parent } = turnOf(conversation, id);
  return conversationOf(conversation.all, { ...conversation.chosen, [parent]: id });
}

/** Every version of a turn, itself among them, in the order they were made. */
export function versionsOf(conversation, { parent, role }) {
  return conversation.all.filter((one) => one.parent === parent && one.role === role && !one.removed);
}

/**
 * One of several versions goes with what followed it alone. The only version leaves an empty place, so that what followed stays; a question
 * takes its answers along.
 */
export function remove(conversation, id) {
  const turn = turnOf(conversation, id);
  const versions = versionsOf(conversation, turn);
  if (versions.length === 1) return blanked(conversation, turn);
  const others = versions.filter((one) => one !== turn);
  const gone = others.some((one) => one.branch === turn.branch) ? new Set([id]) : new Set([id, ...descendants(conversation.all, turn.branch)]);
  const next = others[Math.max(0, versions.indexOf(turn) - 1)];
  return conversationOf(conversation.all.filter((one) => !gone.has(one.id)), { ...conversation.chosen, [turn.parent]: next.id });
}

const GROWTH = {
  opened: (reply) => ({ ...reply, phase: 'waiting' }),
  queue: (reply, { ahead }) => ({ ...reply, phase: 'waiting', ahead }),
  thinking: (reply, { text }, at) => ({
    ...reply,
    phase: reply.text ? 'answering' : 'thinking',
    thinking: reply.thinking + text,
    thinkingFrom: reply.thinkingFrom ?? at,
  }),
  token: (reply, { text }, at) => ({ ...thoughtOver(reply, at), phase: 'answering', text: reply.text + text }),
};

export function receive(conversation, event, at) {
  const grow = GROWTH[event.type];
  const reply = lastReply(conversation.turns);
  return grow && replying(conversation.turns) ? replaced(conversation, reply.id, grow(reply, event, at)) : conversation;
}

export function end(conversation, ending, at) {
  if (!replying(conversation.turns)) return conversation;
  const reply = lastReply(conversation.turns);
  return replaced(conversation, reply.id, { ...thoughtOver(reply, at), phase: 'ended', ending });
}

/** A reply that was still growing when nobody was left to follow it. */
export function interrupted(turn, at) {
  if (turn.role !== 'assistant' || turn.phase === 'ended') return turn;
  return freeze({ ...thoughtOver(turn, at), phase: 'ended', ending: bySilence() });
}

export function lastReply(turns) {
  const last = turns.at(-1);
  return last?.role === 'assistant' ? last : null;
}

export function replying(turns) {
  const reply = lastReply(turns);
  return reply !== null && reply.phase !== 'ended';
}

/** Milliseconds spent thinking so far, or null if there was none. */
export function thoughtFor(reply, now) {
  return reply.thinkingFrom === null ? null : Math.max(0, (reply.thinkingTo ?? now) - reply.thinkingFrom);
}

export function turnOf(conversation, id) {
  return conversation.all.find((turn) => turn.id === id);
}

function newReply(id, parent, at, made) {
  return freeze({
    id, parent, branch: id, role: 'assistant', at, text: '', thinking: '', phase: 'sending', ahead: null, thinkingFrom: null, thinkingTo: null,
    ending: null, made, edited: false,
  });
}

function withQuestion(conversation, parent, { text, images, ids: [id, replyId], at, made }) {
  const question = freeze({ id, parent, branch: id, role: 'user', at, text, images: freeze([...images]) });
  return withTurn(withTurn(conversation, question), newReply(replyId, id, at, made));
}

/** What is added is what is seen. */
function withTurn({ all, chosen }, turn) {
  return conversationOf([...all, turn], { ...chosen, [turn.parent]: turn.id });
}

/** A turn in its own place, which leaves the tree and the path through it as they were: done for each token. */
function replaced({ all, chosen, turns }, id, turn) {
  const instead = freeze(turn);
  const within = (some) => freeze(some.map((one) => (one.id === id ? instead : one)));
  return freeze({ all: within(all), chosen, turns: within(turns) });
}

function thoughtOver(reply, at) {
  return reply.thinkingFrom === null || reply.thinkingTo !== null ? reply : { ...reply, thinkingTo: at };
}

function blanked(conversation, turn) {
  const answers = turn.role === 'user' ? conversation.all.filter((one) => one.parent === turn.branch && one.role === 'assistant') : [];
  const seen = answers.find((one) => conversation.turns.includes(one)) ?? answers.at(-1);
  const unseen = new Set(answers.filter((one) => one.branch !== seen.branch).flatMap((one) => [one.id, ...descendants(conversation.all, one.branch)]));
  const twins = answers.filter((one) => one !== seen && one.branch === seen.branch).map((one) => one.id);
  const blank = new Set([turn.id, seen?.id]);
  const all = conversation.all
    .filter((one) => !unseen.has(one.id) && !twins.includes(one.id))
    .map((one) => (blank.has(one.id) ? emptyPlace(one) : one));
  return conversationOf(pruned(all), conversation.chosen);
}

const emptyPlace = ({ id, parent, branch, role, at }) => freeze({ id, parent, branch, role, at, text: '', images: freeze([]), removed: true });

/** Empty places that hold nothing. */
function pruned(all) {
  const parents = new Set(all.map((one) => one.parent));
  const needed = all.filter((one) => !one.removed || parents.has(one.branch));
  return needed.length === all.length ? all : pruned(needed);
}

function descendants(all, branch) {
  const branches = new Set([branch]);
  return all.filter((one) => branches.has(one.parent) && branches.add(one.branch)).map((one) => one.id);
}

/** The branch that the next question hangs on; empty places at the end count. */
function endOf({ all, chosen }) {
  return pathOf(all, chosen).at(-1)?.branch ?? ROOT;
}

function conversationOf(all, chosen) {
  const held = new Set(all.map((one) => one.id));
  const valid = Object.fromEntries(Object.entries(chosen).filter(([, id]) => held.has(id)));
  return freeze({ all: freeze(all), chosen: freeze(valid), turns: freeze(pathOf(all, valid).filter((turn) => !turn.removed)) });
}

function pathOf(all, chosen) {
  const children = new Map();
  for (const turn of all) children.set(turn.parent, [...(children.get(turn.parent) ?? []), turn]);
  const path = [];
  let here = ROOT;
  while (children.has(here)) {
    const versions = children.get(here);
    const seen = versions.find((turn) => turn.id === chosen[here]) ?? versions.at(-1);
    path.push(seen);
    here = seen.branch;
  }
  return path;
}
