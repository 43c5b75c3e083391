/**
 * What can be set.
 */
import { figure } from './figures.js';

const usual = ({ usual: value }) => `Where empty, the server's ${figure(value)}.`;
const between = ({ min, max }) => `between ${figure(min)} and ${figure(max)}`;

export const settings = {
  heading: 'Settings',
  open: 'Settings',
  close: 'Close the settings',
  ofSession: 'This session',
  ofDevice: 'This device',
  names: { temperature: 'Temperature', top_p: 'Top-p', max_tokens: 'Longest answer, in tokens', loop_guard: 'Loop guard' },
  hints: {
    temperature: (bounds) => `Lower is steadier, higher is more varied. ${usual(bounds)}`,
    top_p: (bounds) => `Only the likeliest words, up to this share. ${usual(bounds)}`,
    max_tokens: (bounds) => `Thinking included. ${usual(bounds)}`,
    loop_guard: (bounds) => `How soon repetition is stopped: 0 never, 10 at once. ${usual(bounds)}`,
  },
  locked: 'Set by whoever runs this server.',
  useUsual: 'Use the server\'s',
  problems: {
    not_a_number: () => 'Not used: this is not a number.',
    not_whole: () => 'Not used: only whole numbers.',
    out_of_range: (bounds) => `Not used: it must be ${between(bounds)}.`,
  },
  theme: 'Theme',
  themes: { dark: 'Dark', light: 'Light, for a bright room', contrast: 'High contrast' },
  paired: 'This device was let in by a code and stays known for 30 days.',
  forget: 'Forget this device',
  notKept: 'This browser keeps nothing: it lasts until the page is closed.',
  prompt: {
    label: 'System prompt',
    text: 'Text of the system prompt',
    choices: { server: 'Chosen by the server', none: 'None', own: 'Written here' },
    notes: {
      server: (hasImages) => `The server has one for text and one for images. Now: for ${hasImages ? 'images' : 'text'}. Writing here makes it your own.`,
      none: () => 'The model is told nothing beforehand. Writing here makes a prompt of your own.',
    },
    name: 'Name of this prompt',
    keep: 'Keep',
    forget: 'Remove from my prompts',
  },
};

export const forgetting = {
  heading: 'Forget this device?',
  meaning: 'The server asks this browser for a code again. Sessions that are kept in this browser stay in it: wipe this device as well if somebody else is to use it.',
  confirm: 'Forget this device',
  keep: 'Stay known',
};
