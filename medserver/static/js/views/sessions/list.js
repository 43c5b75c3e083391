/**
 * The sessions on this device, by age or as found; touches only what differs, and keeps the row of every session, because there may be hundreds
 * and a search shows others with each letter. What is seen first comes first and the rest frame by frame: at once they took a tenth of a second.
 */
import { groupsOf } from '../../sessions/groups.js';
import * as words from '../../words/index.js';
import { element, setText, ViewList } from '../dom.js';
import { SessionRow } from './row.js';

const AT_ONCE = 60;

class Group {
  #heading = element('h3', { class: 'session-group' });
  #rows = element('ul');
  #views;

  constructor(rowOf) {
    this.#views = new ViewList(this.#rows, rowOf);
    this.node = element('section', {}, this.#heading, this.#rows);
  }

  update(name, sessions, about) {
    this.#heading.hidden = name === '';
    setText(this.#heading, name);
    this.#views.update(sessions, (view, session) => view.update(session, about(session)));
  }
}

export class SessionList {
  node = element('div', { class: 'session-list' });
  #empty = element('p', { class: 'session-none', hidden: true });
  #groups = element('div');
  #views;
  #rows = new Map();
  #shown = [];
  #room = AT_ONCE;
  #nextFrame = null;

  constructor(on) {
    this.#views = new ViewList(this.#groups, () => new Group((session) => this.#rowOf(session, on)));
    this.node.append(this.#empty, this.#groups);
  }

  update({ sessions, found, query }, current, now) {
    const day = new Date(now).toDateString();
    const shown = [sessions, found, query, current, day];
    if (shown.every((one, index) => one === this.#shown[index])) return;
    // What a search finds is read from its top; a list of which one session has changed keeps its length, and the reader's place.
    if (found !== this.#shown[1] && sessions === this.#shown[0]) this.#room = AT_ONCE;
    this.#shown = shown;
    const excerpts = found && new Map(found.map(({ id, excerpt }) => [id, excerpt]));
    const groups = excerpts ? [{ id: 'found', name: '', sessions: sessions.filter((one) => excerpts.has(one.id)) }] : this.#byAge(sessions, now);
    this.#show(groups, ({ id }) => ({ current: id === current, excerpt: excerpts?.get(id) ?? null }));
    this.#forget(sessions);
    const none = groups.every((group) => group.sessions.length === 0);
    this.#empty.hidden = !none;
    setText(this.#empty, excerpts ? words.sessions.notFound(query) : words.sessions.none);
  }

  #show(groups, about) {
    cancelAnimationFrame(this.#nextFrame);
    this.#views.update(firstOf(groups, this.#room), (view, group) => view.update(group.name, group.sessions, about));
    if (groups.reduce((sum, group) => sum + group.sessions.length, 0) <= this.#room) return;
    this.#room += AT_ONCE;
    this.#nextFrame = requestAnimationFrame(() => this.#show(groups, about));
  }

  #rowOf(session, on) {
    if (!this.#rows.has(session.id)) this.#rows.set(session.id, new SessionRow(session, on));
    return this.#rows.get(session.id);
  }

  #forget(sessions) {
    if (this.#rows.size <= sessions.length) return;
    const here = new Set(sessions.map((session) => session.id));
    for (const id of this.#rows.keys()) if (!here.has(id)) this.#rows.delete(id);
  }

  #byAge(sessions, now) {
    return groupsOf(sessions, now).map((group) => ({ id: words.sessions.group(group), name: words.sessions.group(group), sessions: group.sessions }));
  }
}

/** The groups with so many sessions in all. */
function firstOf(groups, room) {
  let left = room;
  return groups.map((group) => {
    const sessions = group.sessions.slice(0, left);
    left -= sessions.length;
    return { ...group, sessions };
  }).filter((group) => group.sessions.length > 0);
}
