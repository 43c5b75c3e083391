/**
 * Which key does what in the viewer, as in OHIF where OHIF has one; knows neither the keyboard's events nor what the verbs do.
 *
 * A row: the keys, the verb they call, and what goes with it.
 */
const STEP = 60; // device pixels that a press of an arrow moves the image by

export const KEYS = Object.freeze([
  { keys: ['+'], verb: 'zoomIn' },
  { keys: ['-'], verb: 'zoomOut' },
  { keys: ['='], verb: 'fit' },
  { keys: ['0'], verb: 'oneToOne' },
  { keys: ['r'], verb: 'turnRight' },
  { keys: ['l'], verb: 'turnLeft' },
  { keys: ['h'], verb: 'flipAcross' },
  { keys: ['v'], verb: 'flipDown' },
  { keys: ['i'], verb: 'invert' },
  { keys: ['ArrowRight', 'ArrowDown', 'PageDown'], verb: 'next' },
  { keys: ['ArrowLeft', 'ArrowUp', 'PageUp'], verb: 'previous' },
  { keys: ['Shift+ArrowLeft'], verb: 'move', by: { x: STEP, y: 0 } },
  { keys: ['Shift+ArrowRight'], verb: 'move', by: { x: -STEP, y: 0 } },
  { keys: ['Shift+ArrowUp'], verb: 'move', by: { x: 0, y: STEP } },
  { keys: ['Shift+ArrowDown'], verb: 'move', by: { x: 0, y: -STEP } },
  { keys: ['1'], verb: 'preset', by: 'full' },
  { keys: ['2'], verb: 'preset', by: 'contrast' },
  { keys: ['3'], verb: 'preset', by: 'dark' },
  { keys: ['4'], verb: 'preset', by: 'bright' },
  { keys: ['5'], verb: 'autoWindow' },
  { keys: ['p'], verb: 'chooseTool', by: 'move' },
  { keys: ['w'], verb: 'chooseTool', by: 'window' },
  { keys: ['s'], verb: 'sideBySide' },
  { keys: ['k'], verb: 'link' },
  { keys: ['o'], verb: 'otherPane' },
  { keys: ['f'], verb: 'fullScreen' },
  { keys: [' ', 'Backspace'], verb: 'reset' },
  { keys: ['?'], verb: 'help' },
  { keys: ['Escape'], verb: 'close' },
]);

const ROW_OF = new Map(KEYS.flatMap((row) => row.keys.map((key) => [key, row])));

/** {verb, by} for a pressed key, or null; with Ctrl, Alt or Meta it belongs to the browser. */
export function verbOf({ key, shiftKey, ctrlKey, altKey, metaKey }) {
  if (ctrlKey || altKey || metaKey) return null;
  // Shift is part of how ? and + are typed, but a meaning of its own with the arrows.
  const name = key.length > 1 && shiftKey ? `Shift+${key}` : key.length === 1 ? key.toLowerCase() : key;
  const row = ROW_OF.get(name);
  return row ? { verb: row.verb, by: row.by ?? null } : null;
}
