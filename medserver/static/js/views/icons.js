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
