/**
 * Which images are looked at, in one pane or in two, and how: the whole state of the viewer as one frozen value, and every change of it.
 *
 * {films, panes, active, linked, tool, looks}. A film: {id, image, number, of, message, draft}, in the order of the conversation. `panes` holds
 * one or two ids, `looks` what was done to each film, so that going on and coming back loses nothing. Knows no canvas and no words.
 */
import { alike, initialLook, OWN, PLACING, settled } from './look.js';

const freeze = Object.freeze;

export const closed = freeze({ films: freeze([]), panes: freeze([]), active: 0, linked: true, tool: 'move', looks: freeze({}) });

/** Every image of the conversation and then of the draft, numbered as in its own message, and the messages as they were asked. */
export function filmsOf(turns, draft) {
  const messages = [...turns.filter((turn) => turn.role === 'user'), draft];
  return freeze(messages.flatMap(({ images }, index) => (images ?? []).map((image, place) => freeze({
    id: image.id, image, number: place + 1, of: images.length, message: index + 1, draft: messages[index] === draft,
  }))));
}

export function sameFilms(some, others) {
  return some.length === others.length
    && some.every((film, index) => Object.keys(film).every((part) => film[part] === others[index][part]));
}

const change = (reading, changes) => freeze({ ...reading, ...changes });

export const isOpen = ({ panes }) => panes.length > 0;

export const filmIn = ({ films, panes }, pane) => films.find((film) => film.id === panes[pane]) ?? null;

export const lookIn = ({ looks, panes }, pane) => looks[panes[pane]] ?? initialLook;

export const opened = (id) => (reading) => {
  const side = reading.panes.indexOf(id);
  if (side >= 0) return change(reading, { active: side });
  const panes = isOpen(reading) ? reading.panes.map((shown, pane) => (pane === reading.active ? id : shown)) : [id];
  return change(reading, { panes: freeze(panes) });
};

export const shut = () => (reading) => change(reading, { panes: closed.panes, active: 0 });

/** The films there are now: what is gone is let go of, and its pane shows what stands at its place. */
export const filmsChanged = (films) => (reading) => {
  const ids = new Set(films.map((film) => film.id));
  const looks = freeze(Object.fromEntries(Object.entries(reading.looks).filter(([id]) => films.some((film) => String(film.id) === id))));
  const kept = reading.panes.filter((id) => ids.has(id));
  const gone = reading.panes.length > 0 && kept.length === 0;
  const place = reading.films.findIndex((film) => film.id === reading.panes[reading.active]);
  const next = gone ? films[Math.min(place, films.length - 1)] : null;
  const panes = gone ? (next ? [next.id] : []) : kept;
  return change(reading, { films, looks, panes: freeze(panes), active: Math.min(reading.active, Math.max(0, panes.length - 1)) });
};

/** The film before (-1) or after (1) the active one, that no pane shows; null at either end. */
export function neighbour({ films, panes, active }, step) {
  const here = films.findIndex((film) => film.id === panes[active]);
  const rest = step > 0 ? films.slice(here + 1) : films.slice(0, here).reverse();
  return rest.find((film) => !panes.includes(film.id)) ?? null;
}

export const stepped = (step) => (reading) => {
  const film = neighbour(reading, step);
  return film ? opened(film.id)(reading) : reading;
};

export const activated = (pane) => (reading) => (pane < reading.panes.length && pane !== reading.active ? change(reading, { active: pane }) : reading);

/** With the next film, or with the one before where there is no next. */
export const sideBySide = () => (reading) => {
  if (reading.panes.length === 2) return change(reading, { panes: freeze([reading.panes[reading.active]]), active: 0 });
  const after = neighbour(reading, 1);
  const other = after ?? neighbour(reading, -1);
  if (!other) return reading;
  const [here] = reading.panes;
  return change(reading, after ? { panes: freeze([here, other.id]), active: 0 } : { panes: freeze([other.id, here]), active: 1 });
};

export const toolChosen = (tool) => (reading) => change(reading, { tool });

/** `frames` has one for each pane, null while its film is not decoded yet. Linked again, the other pane follows the active one. */
export const linkToggled = (frames) => (reading) => followed(change(reading, { linked: !reading.linked }), frames);

/** One verb of look.js on the film of the active pane. */
export const done = (verb, by, frames) => (reading) => {
  const frame = frames[reading.active];
  if (!frame) return reading;
  const act = PLACING[verb] ?? OWN[verb];
  const next = looked(reading, reading.active, act(settled(lookIn(reading, reading.active), frame), frame, by));
  return PLACING[verb] ? followed(next, frames) : next;
};

function followed(reading, frames) {
  const other = 1 - reading.active;
  if (!reading.linked || reading.panes.length < 2 || !frames[other] || !frames[reading.active]) return reading;
  const [frame, otherFrame] = [frames[reading.active], frames[other]];
  const look = settled(lookIn(reading, reading.active), frame);
  return looked(reading, other, alike(settled(lookIn(reading, other), otherFrame), look, { frame, otherFrame }));
}

function looked(reading, pane, look) {
  return change(reading, { looks: freeze({ ...reading.looks, [reading.panes[pane]]: look }) });
}
