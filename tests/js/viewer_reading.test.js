import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as reading from '../../medserver/static/js/viewer/reading.js';

const image = (id) => ({ id, name: `${id}.png` });
const turns = [
  { role: 'user', images: [image(1), image(2)] }, { role: 'assistant' }, { role: 'user', images: [] }, { role: 'assistant' },
  { role: 'user', images: [image(5)] },
];
const films = reading.filmsOf(turns, { images: [image(8), image(9)] });
const after = (...verbs) => verbs.reduce((state, verb) => verb(state), reading.filmsChanged(films)(reading.closed));
const frame = { image: { width: 1000, height: 1000 }, pane: { width: 500, height: 500 } };

test('films are numbered as in their messages, and messages as they were asked', () => {
  assert.deepEqual(films.map(({ id, number, of, message, draft }) => [id, number, of, message, draft]), [
    [1, 1, 2, 1, false], [2, 2, 2, 1, false], [5, 1, 1, 3, false], [8, 1, 2, 4, true], [9, 2, 2, 4, true],
  ]);
  assert.ok(reading.sameFilms(films, films.map((film) => ({ ...film }))));
  assert.ok(!reading.sameFilms(films, films.slice(1)));
  assert.ok(!reading.sameFilms(films, films.map((film) => ({ ...film, draft: false }))));
});

test('next and previous go through all of them and stop at the ends', () => {
  const state = after(reading.opened(2), reading.stepped(1));
  assert.deepEqual(state.panes, [5]);
  assert.equal(reading.neighbour(after(reading.opened(9)), 1), null);
  assert.equal(after(reading.opened(9), reading.stepped(1)).panes[0], 9);
  assert.equal(after(reading.opened(1), reading.stepped(-1)).panes[0], 1);
});

test('two stand in the order of the conversation, and each pane steps over what the other shows', () => {
  const two = after(reading.opened(1), reading.sideBySide());
  assert.deepEqual([two.panes, two.active], [[1, 2], 0]);
  assert.deepEqual(reading.stepped(1)(two).panes, [5, 2]);
  const last = after(reading.opened(9), reading.sideBySide());
  assert.deepEqual([last.panes, last.active], [[8, 9], 1]);
  assert.deepEqual(reading.sideBySide()(last).panes, [9], 'the active one stays');
  assert.deepEqual(reading.opened(8)(last).active, 0, 'one that is already shown is made the active one');
  assert.deepEqual(reading.activated(7)(last), last);
});

test('one image alone has no other beside it', () => {
  const alone = [reading.filmsChanged(films.slice(0, 1)), reading.opened(1), reading.sideBySide()].reduce((state, verb) => verb(state), reading.closed);
  assert.deepEqual(alone.panes, [1]);
});

test('what was done to a film is kept while others are looked at', () => {
  const state = after(reading.opened(1), reading.done('invert', null, [frame]), reading.stepped(1));
  assert.equal(reading.lookIn(state, 0).inverted, false);
  assert.equal(reading.lookIn(reading.stepped(-1)(state), 0).inverted, true);
});

test('nothing is done to a film that is not decoded yet', () => {
  const state = after(reading.opened(1));
  assert.equal(reading.done('invert', null, [null])(state), state);
});

test('linked panes share zoom and place, not turns and windows', () => {
  const frames = [frame, { image: { width: 500, height: 500 }, pane: frame.pane }];
  const two = after(reading.opened(1), reading.sideBySide(), reading.done('oneToOne', null, frames), reading.done('turnRight', null, frames));
  assert.deepEqual([reading.lookIn(two, 0).zoom, reading.lookIn(two, 1).zoom], [1, 2]);
  assert.deepEqual([reading.lookIn(two, 0).quarter, reading.lookIn(two, 1).quarter], [1, 0]);
  const apart = [reading.linkToggled(frames), reading.activated(1), reading.done('fit', null, frames)].reduce((state, verb) => verb(state), two);
  assert.deepEqual([reading.lookIn(apart, 0).fitted, reading.lookIn(apart, 1).fitted], [false, true]);
  const again = reading.linkToggled(frames)(apart);
  assert.equal(reading.lookIn(again, 0).fitted, true, 'linked again, the other follows the active one');
});

test('films that go take their panes and looks with them', () => {
  const two = after(reading.opened(8), reading.sideBySide(), reading.done('invert', null, [frame, frame]));
  const one = reading.filmsChanged(films.filter((film) => film.id !== 8))(two);
  assert.deepEqual([one.panes, one.active, one.looks], [[9], 0, {}]);
  const none = reading.filmsChanged([])(two);
  assert.equal(reading.isOpen(none), false);
  const removed = reading.filmsChanged(films.slice(0, 4))(after(reading.opened(9)));
  assert.deepEqual(removed.panes, [8], 'its neighbour takes the place of the last one');
  assert.equal(reading.filmIn(removed, 0).id, 8);
  assert.equal(reading.filmIn(removed, 1), null);
});

test('shut, it keeps how each film was looked at', () => {
  const state = after(reading.opened(1), reading.done('flipAcross', null, [frame]), reading.shut());
  assert.equal(reading.isOpen(state), false);
  assert.equal(reading.lookIn(reading.opened(1)(state), 0).flippedH, true);
});
