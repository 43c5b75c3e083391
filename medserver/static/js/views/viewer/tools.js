/**
 * The tools of the viewer, each a named button that says whether it is pressed; passes on their verbs and decides nothing.
 */
import { KEYS } from '../../viewer/keys.js';
import * as words from '../../words/index.js';
import { element, setAttributes, setText } from '../dom.js';
import { icon } from '../icons.js';
import { WindowFields } from './window_fields.js';

const keyOf = (verb, by) => {
  const [key] = KEYS.find((row) => row.verb === verb && (row.by === by || by === null))?.keys ?? [];
  return key ? words.viewer.help.names[key] ?? key : null;
};

/** A button whose name tells its key too, to those who point at it. */
export function tool(name, verb, onVerb, { by = null, sign = null, drawn = name } = {}) {
  const key = keyOf(verb, by);
  const title = words.viewer.verbs[name];
  return element(
    'button', {
      type: 'button', class: 'button quiet square viewer-tool', 'aria-label': title, title: key ? `${title} (${key})` : title, 'data-verb': name,
      on: { click: () => onVerb(verb, by) },
    },
    sign ? element('span', { class: 'viewer-sign' }, sign) : icon(drawn),
  );
}

const group = (name, ...children) => element('div', { class: 'viewer-group', role: 'group', 'aria-label': words.viewer.groups[name] }, ...children);

export class Tools {
  constructor({ onVerb }) {
    const make = (name, more = {}) => tool(name, more.verb ?? name, onVerb, more);
    this.move = make('chooseMove', { verb: 'chooseTool', by: 'move', drawn: 'move' });
    this.window = make('chooseWindow', { verb: 'chooseTool', by: 'window', drawn: 'window' });
    this.flipAcross = make('flipAcross');
    this.flipDown = make('flipDown');
    this.invert = make('invert');
    this.fit = make('fit');
    this.fields = new WindowFields({ onVerb });
    this.node = element(
      'div', { class: 'viewer-tools', role: 'group', 'aria-label': words.viewer.tools },
      group('zoom', make('zoomOut'), make('zoomIn'), this.fit, make('oneToOne', { sign: words.viewer.oneToOneSign })),
      group('drag', this.move, this.window),
      group('lay', make('turnLeft'), make('turnRight'), this.flipAcross, this.flipDown),
      group('whole', this.invert, make('reset')),
      group('tone', ...this.fields.nodes),
    );
  }

  update({ look, tool: chosen }) {
    const pressed = (button, is) => setAttributes(button, { 'aria-pressed': is ? 'true' : 'false' });
    pressed(this.fit, look.fitted);
    pressed(this.flipAcross, look.flippedH);
    pressed(this.flipDown, look.flippedV);
    pressed(this.invert, look.inverted);
    pressed(this.move, chosen === 'move');
    pressed(this.window, chosen === 'window');
    this.fields.update(look.window);
  }
}

/** What is about the viewer itself and not about an image. */
export class Head {
  constructor({ onVerb }) {
    const make = (name) => tool(name, name, onVerb);
    this.place = element('p', { class: 'viewer-place' });
    this.previous = tool('previous', 'previous', onVerb, { drawn: 'back' });
    this.next = tool('next', 'next', onVerb, { drawn: 'chevron' });
    this.sideBySide = make('sideBySide');
    this.link = make('link');
    this.fullScreen = make('fullScreen');
    this.dock = tool('dock', 'fullScreen', onVerb, { drawn: 'dock' });
    this.node = element(
      'div', { class: 'viewer-head' },
      group('films', this.previous, this.next), this.place,
      group('view', this.link, this.sideBySide, this.fullScreen, this.dock, make('help'), make('close')),
    );
  }

  update({ place, hasPrevious, hasNext, two, hasOther, linked, full, canDock }) {
    setText(this.place, place);
    // Kept in the order of the keyboard, so that the focus does not fall out of the viewer at the last image.
    setAttributes(this.previous, { 'aria-disabled': hasPrevious ? null : 'true' });
    setAttributes(this.next, { 'aria-disabled': hasNext ? null : 'true' });
    const title = hasOther ? words.viewer.verbs.sideBySide : words.viewer.needsTwo;
    setAttributes(this.sideBySide, { 'aria-pressed': two ? 'true' : 'false', 'aria-disabled': hasOther ? null : 'true', 'aria-label': title, title: `${title} (s)` });
    this.link.hidden = !two;
    setAttributes(this.link, { 'aria-pressed': linked ? 'true' : 'false' });
    this.fullScreen.hidden = full;
    this.dock.hidden = !(full && canDock);
  }
}
