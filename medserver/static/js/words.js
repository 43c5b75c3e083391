/**
 * Every sentence the page can say, in one place; knows nothing of the DOM and decides nothing.
 *
 * What happened, what it means, what to do. No exclamation marks.
 */
const figures = new Intl.NumberFormat('en');
const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** What a table of ours says of a name that came from outside, which may be `constructor`. */
const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

const count = (n, one, many = `${one}s`) => `${figures.format(n)} ${n === 1 ? one : many}`;
const megabytes = (n) => `${oneDecimal.format(n)} MB`;
const wholeSeconds = (milliseconds) => Math.floor(milliseconds / 1000);
const seconds = (milliseconds) => count(wholeSeconds(milliseconds), 'second');
const timeUntil = (at, now) => {
  const left = Math.max(1, Math.ceil((at - now) / 1000));
  return left > 120 ? count(Math.ceil(left / 60), 'minute') : count(left, 'second');
};

export const page = {
  name: 'MedServer',
  skip: 'Skip to the message box',
  newSession: 'New session',
  download: 'Download conversation',
  about: 'About',
  close: 'Close',
  drop: 'Drop images to add them to your message',
  conversation: 'Conversation',
  model: 'Model',
  modelGone: (name) => `${name} (not offered now)`,
  standing: 'AI output. It needs validation by a qualified professional. Not FDA-approved or CE-marked.',
};

export const banner = {
  label: 'About this server',
  open: 'Open server: every device on this network can use it without being asked who it is.',
  demo: 'MedServer demo, not MedGemma: it knows nothing about medicine and is not for use with any patient.',
};

export const terms = {
  heading: 'About MedServer',
  paragraphs: [
    'MedServer serves Google’s MedGemma models on your own machine. What you type and the images you add go to the server at this address and nowhere else.',
    'MedGemma is for research and clinical decision support. It is not FDA-approved or CE-marked, it does not replace clinical judgement, and it is not for direct patient care without validation.',
    'Sessions, with their images, are kept in this browser on this device and nowhere else, until you delete them or wipe this device.',
  ],
  notice: 'HAI-DEF is provided under and subject to the Health AI Developer Foundations Terms of Use found at https://developers.google.com/health-ai-developer-foundations/terms',
};

/** Accepted once for each `version`: it changes when what is promised or warned of does. */
export const clinicalNotice = {
  version: '2026-11',
  heading: 'Before you begin',
  paragraphs: [
    'MedGemma is for research and clinical decision support. It is not FDA-approved or CE-marked, it does not replace clinical judgement, and it is not for direct patient care without validation.',
    'Its answers can be wrong, incomplete or invented, also where they sound certain. Check everything against the patient, the images and your own sources before you act on it.',
  ],
  accept: 'I understand',
};

export const welcome = {
  heading: 'Ask a question or add an image',
  does: {
    images: 'A medical language model on your own server. Ask it a question, or add one or more images and ask what they show.',
    text: 'A medical language model on your own server. This one reads text only.',
    demo: 'A tiny model that shows how this page works. It answers questions about MedServer and reads drawn phantom pictures, and nothing else.',
  },
  not: 'Not for emergencies, not for direct patient care without validation, and never the only reader of an image.',
  kept: 'Sessions are kept in this browser on this device only. On a shared device, delete them or wipe the device when you are done.',
  suggestions: 'Begin with one of these',
  withImages: (text, images) => `${text}, with ${count(images, 'image')}`,
  prompts: [
    'List the common causes of acute kidney injury, grouped as prerenal, renal and postrenal.',
    'What should be checked before starting metformin? Answer as a short table.',
    'Explain the difference between sensitivity and positive predictive value to a medical student.',
  ],
};

/** What stands in a downloaded document beside the conversation itself. */
export const file = {
  title: 'AI-generated, not verified by a clinician',
  conversation: 'MedServer conversation',
  answer: 'MedServer answer',
  contents: 'Contents',
  saved: 'Saved',
  thought: 'Thinking',
  unfinished: { tone: 'warn', title: 'Saved before the answer had ended.', rest: 'It is incomplete.' },
};

export const composer = {
  label: 'Your message',
  placeholder: 'Write a message',
  attach: 'Add images',
  send: 'Send',
  stop: 'Stop',
  thinking: 'Thinking',
  thinkingChoices: { auto: 'Auto', on: 'On', off: 'Off' },
  attachments: 'Images to send, in this order',
  remove: (number, name) => `Remove image ${number}, ${name}`,
  noPreview: 'No preview',
  length: (length, limit) => `${figures.format(length)} of ${figures.format(limit)} characters`,
  notice: 'Message to you',
  dismiss: 'Dismiss',
};

const numbered = (number, label) => `image ${number}${label ? ` (${label})` : ''}`;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The images of a message that is not sent yet. */
export const draftImages = {
  camera: 'Take a photo',
  labels: { '': 'No label', prior: 'Prior', current: 'Current', own: 'Own words' },
  label: (number) => `Label of image ${number}`,
  ownLabel: (number) => `Own label of image ${number}`,
  earlier: (number) => `Move image ${number} earlier`,
  later: (number) => `Move image ${number} later`,
  grip: 'Drag to change the order',
  moved: (name, number, of) => `${name} is now image ${number} of ${of}`,
  /** `limit` and `each` are not known before the server has answered. */
  figures: ({ images, limit, size, each }) => [
    Number.isFinite(limit) ? `${figures.format(images)} of ${count(limit, 'image')}` : count(images, 'image'),
    megabytes(size),
    Number.isFinite(each) ? `at most ${megabytes(each)} each` : '',
  ].filter(Boolean).join(', '),
  tooLarge: (size) => `Too large: ${megabytes(size)}`,
};

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

/** The viewer of images. */
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

export const turn = {
  user: 'You',
  assistant: 'Model',
  edited: 'Model, edited by you',
  actions: { user: 'Actions of your message', assistant: 'Actions of the answer' },
  copy: { user: 'Copy message', assistant: 'Copy answer' },
  copied: 'Copied',
  copyFailed: 'Copying was not allowed. Select the text instead.',
  edit: { user: 'Edit message', assistant: 'Edit answer' },
  remove: { user: 'Delete message and its answer', assistant: 'Delete answer' },
  regenerate: 'Regenerate answer',
  answer: 'Answer this message',
  download: 'Download answer',
  versions: 'Versions',
  version: (at, of) => `${figures.format(at)}/${figures.format(of)}`,
  versionShown: (at, of) => `Version ${figures.format(at)} of ${figures.format(of)}`,
  earlier: 'Earlier version',
  later: 'Later version',
  latest: 'Latest',
  continue: 'Continue',
  continueAnyway: 'Continue anyway',
  answerNow: 'Answer now',
  tryAgain: 'Try again',
  repeats: (times) => `The text went on to repeat itself${times > 0 ? `, ${count(times, 'more time')}` : ''}.`,
  showRepeats: 'Show the repeats',
  hideRepeats: 'Hide the repeats',
  image: (number, name, label) => `${capital(numbered(number, label))}: ${name}`,
  thinkingNow: (milliseconds) => (wholeSeconds(milliseconds) < 1 ? 'Thinking' : `Thinking, ${seconds(milliseconds)}`),
  thoughtFor: (milliseconds) => `Thought for ${wholeSeconds(milliseconds) < 1 ? 'less than a second' : seconds(milliseconds)}`,
};

const PARAMETERS = { thinking: 'thinking', temperature: 'temperature', top_p: 'top-p', max_tokens: 'token limit' };

/** Which model made an answer, on which engine and with what, as far as it is known: a list of short lines. */
export function madeBy(made) {
  if (!made) return ['Model unknown'];
  const parameters = Object.entries(made.parameters).map(([name, value]) => `${own(PARAMETERS, name) ?? name} ${value}`);
  return [`Model: ${made.model ?? 'unknown'}`, made.engine && `Engine: ${made.engine}`, parameters.length > 0 && `Parameters: ${parameters.join(', ')}`].filter(Boolean);
}

/** What a reply without text yet is doing. */
export function waiting({ phase, ahead }) {
  if (phase === 'sending') return 'Sending';
  if (phase !== 'waiting') return '';
  if (ahead === null || Number.isNaN(ahead)) return 'Waiting for the model';
  return ahead > 0 ? `Waiting: ${figures.format(ahead)} ahead of you` : 'You are next';
}

function usageLine({ usage, timings }) {
  const parts = [];
  if (Number.isFinite(usage?.completion_tokens)) parts.push(count(usage.completion_tokens, 'token'));
  if (Number.isFinite(timings?.tokens_per_second)) parts.push(`${oneDecimal.format(timings.tokens_per_second)} tokens/s`);
  return parts.join(', ');
}

const ENDINGS = {
  edited: () => ({ tone: 'quiet', title: 'Edited by you.', rest: 'The earlier version is kept beside it.' }),
  finished: (ending) => ({ tone: 'quiet', title: 'Finished.', rest: usageLine(ending) }),
  stopped: (_, reply) => ({
    tone: 'warn', title: 'Stopped by you.', rest: reply.text ? 'The answer is incomplete.' : 'The answer had not begun.',
  }),
  cut: (ending, reply) => ({ tone: 'warn', title: cutTitle(ending), rest: cutMeaning(reply) }),
  repetition: () => ({
    tone: 'warn', title: 'Stopped because the text repeated itself.', rest: 'The answer is incomplete. Read the last part with care.',
  }),
  cancelled: () => ({ tone: 'warn', title: 'Stopped by the server.', rest: 'The answer is incomplete.' }),
  other: ({ reason }) => ({ tone: 'warn', title: `Ended: ${reason}.`, rest: 'The answer may be incomplete.' }),
  failed: (ending) => ({ tone: 'bad', title: 'Failed.', rest: failureLine(ending), code: ending.code }),
  interrupted: (_, reply) => ({
    tone: 'warn',
    title: 'Interrupted.',
    rest: reply.text || reply.thinking
      ? 'The connection was lost before the answer ended. What had arrived is kept; the rest is missing.'
      : 'The connection was lost before an answer began.',
  }),
};

function cutTitle({ usage }) {
  const tokens = usage?.completion_tokens;
  return Number.isFinite(tokens) ? `Cut at ${count(tokens, 'token')}.` : 'Cut at the token limit.';
}

function cutMeaning(reply) {
  return reply.text
    ? 'The answer is incomplete.'
    : 'All of it was spent thinking, and no answer was written.';
}

const FAILURES = {
  unreadable_stream: 'A part of the answer could not be read, so the rest was not shown.',
};

function failureLine({ sentence, code }) {
  return sentence ?? own(FAILURES, code) ?? 'The server gave no reason.';
}

/** How a reply ended: {tone, title, rest, code}. */
export function ending(reply) {
  const say = own(ENDINGS, reply.ending.kind) ?? ENDINGS.other;
  return { code: null, ...say(reply.ending, reply) };
}

const KEPT = 'Your message is back in the box.';

const SPACE = 'Delete sessions, or free space on this device.';

/** Why something is not kept on this device; a person can go on all the same. */
const UNKEPT = {
  quota: { title: 'Not saved: the storage of this browser is full.', rest: `What you see stays until this page is closed. ${SPACE}` },
  unavailable: {
    title: 'Not saved: this browser does not let the page store anything.',
    rest: 'What you see is lost when this page is closed. A private window or a setting can be the reason; download what you need.',
  },
  newer: { title: 'Not saved: a newer version of this page has been used here.', rest: 'Reload this page.' },
  blocked: { title: 'Not saved: another tab with an older version of this page is in the way.', rest: 'Close the other tabs of MedServer.' },
  failed: { title: 'Not saved: writing to this device failed.', rest: 'What you see stays until this page is closed. Download what you need.' },
};

export const keeping = {
  label: 'Storage on this device',
  again: 'Try again',
  trouble: ({ code }) => UNKEPT[code] ?? UNKEPT.failed,
};

const STORAGE = {
  storage_quota: () => ({ title: 'The storage of this browser is full.', rest: `Nothing was changed. ${SPACE}` }),
  storage_unavailable: () => ({ title: 'This browser does not let the page store anything.', rest: 'A private window or a setting can be the reason.' }),
  storage_newer: () => ({ title: 'A newer version of this page has been used here.', rest: 'Reload this page.' }),
  storage_blocked: () => ({ title: 'Another tab of MedServer is in the way.', rest: 'Close the other tabs, then try again.' }),
  storage_failed: () => ({ title: 'The storage of this device could not be read or written.', rest: 'Try again, or reload this page.' }),
};

// Said about what is about to be sent, or why it was not.
const NOTICES = {
  ...STORAGE,
  no_edit: () => ({ title: 'The message is empty.', rest: 'Write something, or cancel and delete the message.' }),
  deleted_elsewhere: () => ({ title: 'This session was deleted in another tab.', rest: 'A new session has begun.' }),
  wiped: () => ({ tone: 'good', title: 'This device is empty.', rest: 'All sessions, images and settings of this page were removed from this browser.' }),
  restored: ({ amount, known }) => ({
    tone: 'good',
    title: amount === 0 ? 'Nothing to restore.' : `${count(amount, 'session')} restored.`,
    rest: known > 0 ? `${count(known, 'session')} of the file ${known === 1 ? 'is' : 'are'} already here, unchanged.` : '',
  }),
  not_a_backup: () => ({ title: 'This file is not a backup of MedServer.', rest: 'Nothing was changed.' }),
  newer_backup: () => ({ title: 'This backup was made by a newer MedServer.', rest: 'Nothing was changed. Update this server, then restore it.' }),
  broken_backup: () => ({ title: 'This backup is damaged.', rest: 'Nothing was changed. Use another copy of the file.' }),
  unreadable_backup: () => ({ title: 'This file could not be read.', rest: 'Nothing was changed. It may have been moved, or it is too large.' }),
  no_text: () => ({ title: 'Write what you want to know about the image.' }),
  already_replying: () => ({ title: 'An answer is still arriving.', rest: 'Wait for its end or stop it, then send.' }),
  loading: () => ({ title: 'The model is still loading.', rest: 'Your message stays here. Send it when the model is ready.' }),
  unknown_image_type: ({ names }) => ({
    title: `Not added: ${names.join(', ')}.`, rest: 'Images can be PNG, JPEG or WebP. A DICOM file has to be exported as one of these first.',
  }),
  unreadable_image: ({ name }) => ({ title: `${name} could not be read.`, rest: `Remove it and add it again. ${KEPT}` }),
  no_sample: () => ({ title: 'The sample images could not be fetched.', rest: 'Check the network, then try again.' }),
  not_forgotten: () => ({ title: 'The server did not forget this device.', rest: 'Check the network, then try again.' }),
  no_viewer: () => ({ title: 'The image viewer could not be fetched.', rest: 'Check the network, then try again.' }),
  unreachable: () => ({ title: 'The server cannot be reached.', rest: `Check the network, then send again. ${KEPT}` }),
  images_not_supported: () => ({ title: 'This model reads text only.', rest: 'Remove the images to send your message.' }),
  too_many_images: ({ amount, limit }) => ({
    title: `${count(amount, 'image')}; one message can hold ${figures.format(limit)}.`, rest: `Remove ${figures.format(amount - limit)}.`,
  }),
  payload_too_large: ({ number, name, amount, limit }) => ({
    title: `Image ${number} is too large: ${megabytes(amount)}; the limit is ${megabytes(limit)}.`, rest: `Remove or reduce ${name}.`,
  }),
  text_too_long: ({ amount, limit }) => ({
    title: `${count(amount, 'character')}; one message can hold ${figures.format(limit)}.`, rest: 'Shorten the message.',
  }),
  conversation_too_long: ({ amount, limit }) => ({
    title: `The conversation is too long: ${count(amount, 'character')}; the limit is ${figures.format(limit)}.`, rest: 'Start a new session.',
  }),
  too_many_messages: ({ limit }) => ({
    title: `The conversation has reached ${count(limit, 'message')}.`, rest: 'Start a new session.',
  }),
};

const TITLES_BY_STATUS = {
  401: 'Not sent: this server asks for a token.',
  403: 'Not sent: this server does not let this address in.',
  413: 'Not sent: too large for this server.',
  429: 'Not sent: too many requests.',
  503: 'Not sent: the model is not available yet.',
  507: 'Not sent: the server ran out of memory.',
};

const ADVICE_BY_STATUS = {
  413: 'Send fewer or smaller images.',
  507: 'Send fewer images or a shorter conversation.',
};

function otherTitle(status) {
  if (!status) return 'No answer came.';
  return status >= 500 ? 'Not sent: the server failed.' : 'Not sent: the server refused it.';
}

function refused(notice, now) {
  const wait = notice.retryAt > now ? `Try again in ${timeUntil(notice.retryAt, now)}.` : '';
  const said = notice.sentence ?? (notice.status ? `The server answered ${notice.status} without a reason.` : failureLine(notice));
  return {
    title: TITLES_BY_STATUS[notice.status] ?? otherTitle(notice.status),
    rest: [said, wait || ADVICE_BY_STATUS[notice.status], KEPT].filter(Boolean).join(' '),
    code: [notice.status || null, notice.code, notice.status >= 500 ? notice.requestId : null].filter(Boolean).join(' · ') || null,
  };
}

/** A notice above the message box: {tone, title, rest, code}. `now` counts Retry-After down. */
export function notice(about, now) {
  // A status or a sentence means that the server refused, and then its own words come first.
  const ours = about.status || about.sentence ? null : own(NOTICES, about.code)?.(about);
  const tone = ours && about.code !== 'unreachable' ? 'warn' : 'bad';
  return { tone, rest: '', code: null, ...(ours ?? refused(about, now)) };
}

/** A plain number, as the page writes all of them. */
export const figure = (value) => (Number.isFinite(value) ? figures.format(value) : '');

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

/** How much of the context is taken. */
export const context = {
  meter: 'Context used',
  use: ({ used, limit }) => `About ${figures.format(used)} of ${figures.format(limit)} tokens`,
  tight: ({ room }) => `About ${figures.format(room)} tokens are left for the answer.`,
  full: () => 'This is probably too long for the model. Shorten it, or start a new session.',
};

export const encryption = {
  chip: 'Not encrypted',
  meaning: 'This page came over http: others on this network could read along. Ask whoever runs this server for https.',
};

const STAGES = {
  checking: 'Checking the weights', download: 'Downloading the weights', starting: 'Starting', libraries: 'Loading the libraries',
  processor: 'Loading the processor', weights: 'Loading the weights', 'self-test': 'Checking itself',
};
const IN_BYTES = ['checking', 'download'];

function stageName(stage) {
  if (!stage) return 'Loading the model';
  return Object.hasOwn(STAGES, stage) ? STAGES[stage] : `Loading: ${stage.replaceAll('_', ' ')}`;
}

/** Bytes as the terminal says them: in powers of ten, in the unit that suits the whole. */
function share(done, total) {
  const [size, unit] = total >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB'];
  return `${oneDecimal.format(done / size)} of ${oneDecimal.format(total / size)} ${unit} (${Math.floor((100 * done) / total)} %)`;
}

/** `3.2 MB/s, about 4 minutes left`, or nothing while it is not known. */
function paceWords(pace) {
  if (!pace) return '';
  const left = pace.left >= 90 ? count(Math.ceil(pace.left / 60), 'minute') : count(Math.max(1, Math.ceil(pace.left)), 'second');
  return `, ${oneDecimal.format(pace.speed / 1e6)} MB/s, about ${left} left`;
}

export const status = {
  heading: 'Server status',
  memory: (name) => `Memory used of ${name}`,
  labels: {
    connecting: 'Connecting', ready: 'Ready', loading: 'Loading', restarting: 'Restarting', degraded: 'Degraded', failed: 'Not working',
    unreachable: 'Offline',
  },
  progress: ({ stage, done, total, pace = null }) => {
    if (total === null || total < 2) return `${stageName(stage)}.`;
    return `${stageName(stage)}, ${IN_BYTES.includes(stage) ? share(done, total) + paceWords(pace) : `${done} of ${total}`}.`;
  },
};

const STANDINGS = {
  connecting: () => null,
  ready: () => null,
  loading: ({ progress }) => ({ title: status.progress(progress), rest: 'You can write already and send when it is ready.' }),
  restarting: ({ why }) => ({ title: 'The engine is restarting.', rest: why ?? 'Your conversation is kept.' }),
  degraded: ({ why }) => ({ title: 'The server is working with limits.', rest: why ?? 'See the server status for details.' }),
  failed: ({ why }) => ({ title: 'The model is not working.', rest: why ?? 'See the log of the server.' }),
  unreachable: () => ({ title: 'The server cannot be reached.', rest: 'Trying again. What you have written is kept.' }),
};

/** The band under the header while something is to be said: {title, rest} or null. */
export function standing(about) {
  return STANDINGS[about.kind](about);
}

/** How fast an answer came: {ttft_ms, tokens_per_second}, either of which may be missing. */
export const timings = ({ ttft_ms: first, tokens_per_second: speed }) => [
  Number.isFinite(speed) ? `${figures.format(Math.round(speed))} tokens/s` : null,
  Number.isFinite(first) ? `first word after ${first < 1000 ? `${figures.format(Math.round(first))} ms` : `${oneDecimal.format(first / 1000)} s`}` : null,
].filter(Boolean).join(', ');

const DEVICES = { cpu: 'CPU', cuda: 'GPU', mps: 'GPU' };

/** {name, used} of a graphics card; `used` in words. */
export const vram = (gpu) => ({
  name: gpu.name,
  used: `${oneDecimal.format(gpu.vram_used_gb)} of ${oneDecimal.format(gpu.vram_total_gb)} GB`,
});

/** The rows of the status panel: [name, value]. `model` is what was chosen, null for the server's first; `last` the timings of the last answer. */
export function statusRows(health, model = null, last = null) {
  if (!health) return [];
  const engine = health.engine ?? {};
  const several = (health.models?.length ?? 0) > 1;
  const rows = [
    ['Model', several ? model ?? health.models[0] : health.model_name],
    ['About it', health.model_note],
    ['Reads', health.supports_images ? 'text and images' : 'text only'],
    ['Engine', [engine.name, engine.state].filter(Boolean).join(', ')],
    ['Weights', [engine.quantization ?? engine.dtype, DEVICES[engine.device] ? `on the ${DEVICES[engine.device]}` : null].filter(Boolean).join(' ')],
    ...(engine.tried ?? []).map(({ name, why }) => ['Not used', `${name}: ${why}`]),
    ['Restarts', engine.restarts > 0 ? figures.format(engine.restarts) : null],
    ['Reason', engine.why],
    ['Queue', health.queue ? `${figures.format(health.queue.active)} active, ${figures.format(health.queue.waiting)} waiting` : null],
    ['Last answer', last ? timings(last) : null],
    ['Context', Number.isFinite(health.max_model_len) ? count(health.max_model_len, 'token') : null],
    ['Version', health.version],
  ];
  return rows.filter(([, value]) => value);
}

export const leaving = {
  heading: 'Leave this session?',
  meaning: {
    draft: 'The message you have not sent is discarded. The session itself is kept under Sessions.',
    unkept: 'This session could not be saved on this device. It is lost when you leave it.',
  },
  confirm: 'Leave',
  keep: 'Stay here',
};

export const editing = {
  label: { user: 'Edit your message', assistant: 'Edit the answer' },
  send: 'Send again',
  save: 'Save',
  cancel: 'Cancel',
  meaning: { user: 'It is asked again from here. The earlier version is kept.', assistant: 'It is marked as edited. The earlier version is kept.' },
};

export const undo = {
  label: 'Undo',
  said: ({ kind, title }) => (kind === 'session' ? `The session “${title || sessions.untitled}” was deleted.` : 'The message was deleted.'),
  undo: 'Undo',
  dismiss: 'Dismiss',
};

export const downloading = {
  heading: 'Download',
  what: 'What',
  scopes: { conversation: 'The whole conversation', answer: 'The last answer' },
  format: 'As',
  formats: { markdown: 'Markdown', page: 'HTML page for printing' },
  thinking: 'Include the model’s thinking',
  download: 'Download',
  cancel: 'Cancel',
};

export const forgetting = {
  heading: 'Forget this device?',
  meaning: 'The server asks this browser for a code again. Sessions that are kept in this browser stay in it: wipe this device as well if somebody else is to use it.',
  confirm: 'Forget this device',
  keep: 'Stay known',
};

export const wiping = {
  heading: 'Wipe this device?',
  meaning: 'Every session, every image and every setting of MedServer in this browser is removed, in all tabs. This cannot be undone.',
  confirm: 'Wipe this device',
  keep: 'Keep everything',
};

const month = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric' });
const dayAndTime = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false });

const GROUPS = { pinned: () => 'Pinned', today: () => 'Today', yesterday: () => 'Yesterday', week: () => 'Previous 7 days', month: (at) => month.format(at) };

export const sessions = {
  heading: 'Sessions',
  show: 'Sessions',
  close: 'Close sessions',
  search: 'Search sessions',
  group: ({ kind, at }) => GROUPS[kind](at),
  changed: (at) => dayAndTime.format(at),
  untitled: 'Untitled',
  none: 'No sessions yet. They appear here once you have asked something.',
  notFound: (query) => `Nothing found for “${query}”.`,
  found: (n) => `${count(n, 'session')} found`,
  opened: (title) => `Session opened: ${title}`,
  actions: (title) => `Actions for ${title}`,
  rename: 'Rename',
  title: 'Title',
  save: 'Save',
  cancel: 'Cancel',
  pin: 'Pin',
  unpin: 'Unpin',
  backUp: 'Back up',
  remove: 'Delete',
  backUpAll: 'Back up all',
  restore: 'Restore',
  wipe: 'Wipe this device',
};

const PHASES = {
  sending: () => waiting({ phase: 'sending' }),
  waiting,
  thinking: () => 'The model is thinking',
  answering: () => 'The answer is arriving',
};

const sentenceOf = ({ title, rest }) => [title, rest].filter(Boolean).join(' ');

/** A milestone as one sentence for a screen reader, or an empty one. */
export function announcement(milestone, now) {
  if (milestone.kind === 'phase') return PHASES[milestone.reply.phase]?.(milestone.reply) ?? '';
  if (milestone.kind === 'ended') return `Answer: ${sentenceOf(ending(milestone.reply))}`;
  if (milestone.kind === 'opened') return sessions.opened(milestone.title || sessions.untitled);
  if (milestone.kind === 'undo') return undo.said(milestone.undo);
  if (milestone.kind === 'unkept') return sentenceOf(keeping.trouble(milestone.trouble));
  if (milestone.kind === 'found') return sessions.found(milestone.amount);
  if (milestone.kind === 'notice') return sentenceOf(notice(milestone.notice, now));
  if (milestone.standing.kind === 'ready') return 'The model is ready';
  return sentenceOf(standing(milestone.standing) ?? {});
}
