/**
 * The viewer of images.
 */
import { capital, figures, numbered } from './figures.js';

const inMessage = ({ message, draft }, several, image) => {
  if (!several) return capital(image);
  return `${draft ? 'Draft' : `Message ${figures.format(message)}`}, ${image}`;
};
const TURNS = ['', 'turned 90° clockwise', 'turned 180°', 'turned 90° anticlockwise'];
const flipWord = ({ flippedH, flippedV }) => {
  if (flippedH && flippedV) return 'flipped both ways';
  return flippedH ? 'flipped horizontally' : 'flipped vertically';
};
const percent = (zoom) => `${figures.format(Math.round(zoom * 1000) / 10)} %`;
const windowWord = ({ width, level }) => `window ${figures.format(width)}, level ${figures.format(level)}`;

export const viewer = {
  name: 'Image viewer',
  open: (title) => `${title}, open in the viewer`,
  /** `several` messages hold images, so it has to be said which. */
  place: (film, several) => inMessage(film, several, `image ${film.number} of ${film.of}`),
  choice: (film, several) => inMessage(film, several, `${numbered(film.number, film.image.label)}: ${film.image.name}`),
  chosen: (pane) => (pane === null ? 'Image shown' : `Image shown in pane ${pane + 1}`),
  stage: (title) => `${title}. Press ? for the keys.`,
  opening: 'Opening the image',
  unreadable: 'This image cannot be shown.',
  percent,
  window: ({ width, level }) => `W ${figures.format(width)} L ${figures.format(level)}`,
  flipped: (look) => (look.flippedH || look.flippedV ? capital(flipWord(look)) : ''),
  marks: ({ quarter, inverted }) => [capital(TURNS[quarter]), inverted ? 'Inverted' : ''].filter(Boolean).join(', '),
  status: (place, { zoom, quarter, flippedH, flippedV, inverted }, window, isFull) => [
    place, percent(zoom), TURNS[quarter], flippedH || flippedV ? flipWord({ flippedH, flippedV }) : '', inverted ? 'inverted' : '',
    isFull ? '' : windowWord(window),
  ].filter(Boolean).join(', '),
  tools: 'Viewer tools',
  groups: { films: 'Images', zoom: 'Zoom', lay: 'Turn and flip', drag: 'What dragging does', whole: 'Invert and reset', tone: 'Brightness and contrast', view: 'View' },
  verbs: {
    zoomIn: 'Zoom in',
    zoomOut: 'Zoom out',
    fit: 'Fit to the pane',
    oneToOne: '1:1, one image pixel to one screen pixel',
    turnRight: 'Turn clockwise',
    turnLeft: 'Turn anticlockwise',
    flipAcross: 'Flip horizontally',
    flipDown: 'Flip vertically',
    invert: 'Invert',
    next: 'Next image',
    previous: 'Previous image',
    move: 'Move the image',
    chooseMove: 'Drag moves the image',
    chooseWindow: 'Drag changes brightness and contrast',
    autoWindow: 'Window from this image',
    sideBySide: 'Two images side by side',
    link: 'Zoom and move both together',
    otherPane: 'Go to the other image',
    fullScreen: 'Fill the screen',
    dock: 'Beside the conversation',
    reset: 'Reset',
    help: 'Keys and gestures',
    close: 'Close the viewer',
  },
  oneToOneSign: '1:1',
  needsTwo: 'Two images side by side (needs a second image)',
  preset: 'Window preset',
  presets: { full: 'Full range', contrast: 'More contrast', dark: 'Dark parts', bright: 'Bright parts', auto: 'From this image', own: 'Own window' },
  width: 'Window',
  level: 'Level',
  help: {
    heading: 'Keys and gestures',
    keys: 'Keys work while the viewer has the focus.',
    names: {
      ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', PageUp: 'Page up', PageDown: 'Page down', Escape: 'Esc', ' ': 'Space',
    },
    shift: 'Shift',
    presetKey: (name) => `Window: ${name.toLowerCase()}`,
    gestures: [
      ['Wheel', 'Zoom to the pointer'],
      ['Drag', 'Move, or brightness and contrast, as chosen'],
      ['Right-button drag', 'Brightness and contrast: to the right less contrast, downwards darker'],
      ['Middle-button drag', 'Move'],
      ['Double-click, double-tap', 'Nearer, and back to fit'],
      ['Two fingers', 'Zoom and move'],
    ],
    linear: 'Window and level follow the linear function of DICOM PS3.3 C.11.2.1.2.1 on the 256 values of the file. They change what you see, never what the model is sent.',
  },
};
