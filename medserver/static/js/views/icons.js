/**
 * Draws the icons of the page, all on one 24 px grid with one weight; does not know what they are used for.
 *
 * They are decoration: the control that holds one carries the name.
 */
const SVG = 'http://www.w3.org/2000/svg';

const SHAPES = {
  send: ['M12 19V5', 'M6 11l6-6 6 6'],
  stop: ['M7 7h10v10H7z'],
  image: ['M4 5h16v14H4z', 'M4 16l4.5-4.5 4 4 3-3L20 17', 'M15.5 9.5h.01'],
  settings: ['M4 7h9', 'M17 7h3', 'M15 5v4', 'M4 12h3', 'M11 12h9', 'M9 10v4', 'M4 17h9', 'M17 17h3', 'M15 15v4'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  plus: ['M12 5v14', 'M5 12h14'],
  copy: ['M9 9h10v10H9z', 'M5 15V5h10'],
  download: ['M12 4v11', 'M7 10.5l5 5 5-5', 'M5 20h14'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  again: ['M19 12a7 7 0 1 1-2.2-5.1', 'M19 4v4.5h-4.5'],
  chevron: ['M9 6l6 6-6 6'],
  warn: ['M12 4l9 16H3z', 'M12 10v4.5', 'M12 17.2h.01'],
  bad: ['M12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 0 1 0-17z', 'M9 9l6 6', 'M15 9l-6 6'],
  good: ['M12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 0 1 0-17z', 'M8 12.2l2.8 2.8L16 9.6'],
  back: ['M15 6l-6 6 6 6'],
  camera: ['M4 8h3.5L9 5.5h6L16.5 8H20v11H4z', 'M12 10a3.2 3.2 0 1 1 0 6.4a3.2 3.2 0 0 1 0-6.4z'],
  grip: ['M9 7h.01', 'M15 7h.01', 'M9 12h.01', 'M15 12h.01', 'M9 17h.01', 'M15 17h.01'],
  zoomIn: ['M10.5 4.5a6 6 0 1 1 0 12a6 6 0 0 1 0-12z', 'M15 15l5 5', 'M10.5 8v5', 'M8 10.5h5'],
  zoomOut: ['M10.5 4.5a6 6 0 1 1 0 12a6 6 0 0 1 0-12z', 'M15 15l5 5', 'M8 10.5h5'],
  fit: ['M4 9V4h5', 'M15 4h5v5', 'M20 15v5h-5', 'M9 20H4v-5', 'M9 9h6v6H9z'],
  turnRight: ['M6 20v-7h7v7z', 'M6.5 9a6 6 0 0 1 10.5-1.5l1.5 2', 'M18.8 5v4.7h-4.7'],
  turnLeft: ['M11 20v-7h7v7z', 'M17.5 9A6 6 0 0 0 7 7.5l-1.5 2', 'M5.2 5v4.7h4.7'],
  flipAcross: ['M12 4v16', 'M9 7.5v9H4z', 'M15 7.5v9h5z'],
  flipDown: ['M4 12h16', 'M7.5 9h9V4z', 'M7.5 15h9v5z'],
  invert: ['M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16z', 'M12 4v16', 'M14.5 5.5v13', 'M17 6.8v10.4'],
  move: ['M12 4v16', 'M4 12h16', 'M9.5 6.5L12 4l2.5 2.5', 'M9.5 17.5L12 20l2.5-2.5', 'M6.5 9.5L4 12l2.5 2.5', 'M17.5 9.5L20 12l-2.5 2.5'],
  window: ['M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8z', 'M12 3v2', 'M12 19v2', 'M3 12h2', 'M19 12h2', 'M5.6 5.6L7 7', 'M17 17l1.4 1.4', 'M5.6 18.4L7 17', 'M17 7l1.4-1.4'],
  sideBySide: ['M4 5h16v14H4z', 'M12 5v14'],
  link: ['M10 14a4 4 0 0 0 5.7 0l2.6-2.6a4 4 0 0 0-5.7-5.7L11.5 6.9', 'M14 10a4 4 0 0 0-5.7 0l-2.6 2.6a4 4 0 0 0 5.7 5.7l1.1-1.2'],
  fullScreen: ['M4 9V4h5', 'M15 4h5v5', 'M20 15v5h-5', 'M9 20H4v-5'],
  dock: ['M4 5h16v14H4z', 'M14 5v14', 'M17 9h.01', 'M17 12h.01'],
  help: ['M12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 0 1 0-17z', 'M9.6 9.6a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2 1-1.2 1.9', 'M12 16.5h.01'],
  reset: ['M5 12a7 7 0 1 0 2.2-5.1', 'M5 4v4.5h4.5'],
  pencil: ['M5 19l1-4L16 5l3 3L9 18z', 'M14 7l3 3'],
  bin: ['M5 7h14', 'M9.5 7V4.5h5V7', 'M7 7l1 13h8l1-13', 'M10.5 10.5v6', 'M13.5 10.5v6'],
  pin: ['M9 4h6l-1 6 3 3H7l3-3z', 'M12 13v7'],
  more: ['M5.5 12a.5.5 0 1 0 1 0a.5.5 0 1 0-1 0z', 'M11.5 12a.5.5 0 1 0 1 0a.5.5 0 1 0-1 0z', 'M17.5 12a.5.5 0 1 0 1 0a.5.5 0 1 0-1 0z'],
  list: ['M4 6h10', 'M4 12h16', 'M4 18h13'],
  down: ['M12 5v14', 'M6 13l6 6 6-6'],
  busy: ['M12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 0 1 0-17z', 'M12 7.5V12l3 2'],
};

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of Object.entries({ viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true', focusable: 'false' })) {
    svg.setAttribute(key, value);
  }
  svg.append(...SHAPES[name].map(path));
  return svg;
}

function path(d) {
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', d);
  return line;
}

/** A place for an icon that changes with the state. */
export class IconSlot {
  node = document.createElement('span');
  #shown = null;

  constructor() {
    this.node.className = 'icon-slot';
  }

  update(name) {
    if (name === this.#shown) return;
    this.#shown = name;
    this.node.replaceChildren(...(name ? [icon(name)] : []));
  }
}
