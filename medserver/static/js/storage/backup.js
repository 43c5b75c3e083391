/**
 * Sessions as one JSON file, and back; what comes from a file is believed in nothing: each field is checked, what is not known is left out, and
 * every id is made anew. Knows records, not where they are kept.
 *
 * {format, version, made, sessions: [{session, messages, images: {id: base64}}]}
 */
import { ROOT } from '../conversation.js';
import { KINDS } from '../ending.js';
import { cleanTitle } from '../sessions/title.js';
import { settingsFrom } from '../settings/settings.js';

const FORMAT = 'medserver-backup';
// Each step reads the layout before it as the next one.
const STEPS = [];
export const VERSION = STEPS.length + 1;
const TYPES = ['image/png', 'image/jpeg', 'image/webp'];

/** `code` is not_a_backup, newer_backup or broken_backup. */
export class NoBackup extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** The parts of the file in order, one session at a time, so that not all of them stand in memory at once. */
export async function* backupParts(ids, { read, base64Of, at }) {
  yield `{"format":"${FORMAT}","version":${VERSION},"made":${JSON.stringify(new Date(at).toISOString())},"sessions":[`;
  let first = true;
  for (const id of ids) {
    const records = await read(id);
    if (!records) continue;
    const images = {};
    for (const [image, blob] of records.images) images[image] = await base64Of(blob);
    yield `${first ? '' : ','}\n${JSON.stringify({ ...records, images })}`;
    first = false;
  }
  yield '\n]}\n';
}

/** [{session, messages, images: Map}], with new ids. Throws `NoBackup`. */
export function sessionsFrom(text, { newId, blobOf }) {
  const file = upToDate(parsed(text));
  if (!Array.isArray(file.sessions)) throw new NoBackup('broken_backup');
  try {
    return file.sessions.map((one) => recordsFrom(one, { newId, blobOf }));
  } catch (error) {
    throw error instanceof Malformed ? new NoBackup('broken_backup') : error;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new NoBackup('not_a_backup');
  }
}

function upToDate(file) {
  if (file?.format !== FORMAT || !Number.isInteger(file.version) || file.version < 1) throw new NoBackup('not_a_backup');
  if (file.version > VERSION) throw new NoBackup('newer_backup');
  return STEPS.slice(file.version - 1).reduce((older, step) => step(older), file);
}

class Malformed extends Error {}

const check = (valid) => {
  if (!valid) throw new Malformed();
};
const text = (value) => (check(typeof value === 'string'), value);
const flag = (value) => value === true;
const time = (value) => (check(Number.isFinite(value) && Math.abs(value) < 8.64e15), value);
const orNull = (read) => (value) => (value === null || value === undefined ? null : read(value));
const list = (value) => (check(Array.isArray(value)), value);
const fields = (value) => (check(typeof value === 'object' && value !== null && !Array.isArray(value)), value);

function recordsFrom(one, { newId, blobOf }) {
  const { session, messages, images } = fields(one);
  const ids = new Map([[ROOT, ROOT]]);
  const idOf = (given) => ids.get(text(given)) ?? ids.set(given, newId()).get(given);
  const turns = list(messages).map((message, place) => ({ ...turnFrom(fields(message), idOf), place }));
  checkTree(turns);
  const bytes = new Map();
  for (const image of turns.flatMap((turn) => turn.images ?? [])) bytes.set(image.id, blobFrom(images, image, ids, blobOf));
  return { session: sessionFrom(fields(session), idOf, turns), messages: turns, images: bytes };
}

/** Parents stand before what follows them, so nothing runs in a ring. */
function checkTree(turns) {
  const branches = new Set([ROOT]);
  const seen = new Set();
  for (const { id, parent, branch } of turns) {
    check(id !== ROOT && branch !== ROOT && !seen.has(id) && branches.has(parent) && parent !== branch);
    seen.add(id);
    branches.add(branch);
  }
}

function sessionFrom({ id, title, named, pinned, created, changed, chosen, settings }, idOf, turns) {
  const held = new Set(turns.map((turn) => turn.id));
  const seen = Object.entries(fields(chosen ?? {})).map(([branch, turn]) => [idOf(branch), idOf(turn)]).filter(([, turn]) => held.has(turn));
  return {
    id: (check(/^[\w-]{1,64}$/.test(text(id))), id),
    title: cleanTitle(text(title)), named: flag(named), pinned: flag(pinned), created: orNull(time)(created), changed: time(changed), revision: 1,
    chosen: Object.fromEntries(seen), settings: settingsFrom(fields(settings ?? {})),
  };
}

function turnFrom(turn, idOf) {
  const { role } = turn;
  check(role === 'user' || role === 'assistant');
  const common = { id: idOf(turn.id), parent: idOf(turn.parent), branch: idOf(turn.branch), role, at: time(turn.at), text: text(turn.text) };
  if (turn.removed === true) return { ...common, text: '', images: [], removed: true };
  return role === 'user' ? { ...common, images: list(turn.images).map((image) => imageFrom(fields(image), idOf)) } : { ...common, ...replyFrom(turn) };
}

function imageFrom({ id, name, type, size, label }, idOf) {
  check(TYPES.includes(type));
  return { id: idOf(id), name: text(name), type, size: (check(size >= 0), size), ...(typeof label === 'string' && { label }) };
}

function replyFrom({ thinking, thinkingFrom, thinkingTo, ending, made, edited }) {
  return {
    thinking: text(thinking), phase: 'ended', ahead: null, thinkingFrom: orNull(time)(thinkingFrom), thinkingTo: orNull(time)(thinkingTo),
    ending: endingFrom(ending), made: orNull(madeFrom)(made), edited: flag(edited),
  };
}

/** What was still growing when the file was made has no end of its own. */
function endingFrom(ending) {
  if (ending === null || ending === undefined) return { kind: 'interrupted' };
  const { kind, reason, usage, timings, sentence, code } = fields(ending);
  check(KINDS.includes(kind));
  return {
    kind, reason: orNull(text)(reason), usage: orNull(figuresFrom)(usage), timings: orNull(figuresFrom)(timings),
    sentence: orNull(text)(sentence), code: orNull(text)(code),
  };
}

function madeFrom({ model, engine, demo, parameters }) {
  return { model: orNull(text)(model), engine: orNull(text)(engine), demo: flag(demo), parameters: scalarsFrom(fields(parameters ?? {})) };
}

const figuresFrom = (value) => Object.fromEntries(Object.entries(fields(value)).filter(([, figure]) => Number.isFinite(figure)));

const scalarsFrom = (value) => Object.fromEntries(Object.entries(value).filter(([name, one]) => name !== '__proto__' && ['string', 'number', 'boolean'].includes(typeof one)));

function blobFrom(images, { id, type }, ids, blobOf) {
  const given = [...ids.keys()].find((one) => ids.get(one) === id);
  check(Object.hasOwn(fields(images), given));
  try {
    return blobOf(text(images[given]), type);
  } catch {
    throw new Malformed();
  }
}
