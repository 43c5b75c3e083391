/**
 * Every sentence the page can say, in one place; knows nothing of the DOM and decides nothing.
 *
 * What happened, what it means, what to do. No exclamation marks.
 */
const figures = new Intl.NumberFormat('en');
const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

const count = (n, one, many = `${one}s`) => `${figures.format(n)} ${n === 1 ? one : many}`;
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
  demo: 'MedServer demo, not MedGemma: not for use with any patient.',
};

export const terms = {
  heading: 'About MedServer',
  paragraphs: [
    'MedServer serves Google’s MedGemma models on your own machine. What you type and the images you add go to the server at this address and nowhere else.',
    'MedGemma is for research and clinical decision support. It is not FDA-approved or CE-marked, it does not replace clinical judgement, and it is not for direct patient care without validation.',
    'The conversation is kept in this page only. Reloading or closing the page clears it.',
  ],
  notice: 'HAI-DEF is provided under and subject to the Health AI Developer Foundations Terms of Use found at https://developers.google.com/health-ai-developer-foundations/terms',
};

export const welcome = {
  heading: 'Ask a question or add an image',
  does: {
    images: 'A medical language model on your own server. Ask it a question, or add one or more images and ask what they show.',
    text: 'A medical language model on your own server. This one reads text only.',
    demo: 'A tiny model that shows how this page works. It answers questions about MedServer and reads drawn phantom pictures, and nothing else.',
  },
  not: 'Not for emergencies, not for direct patient care without validation, and never the only reader of an image.',
  kept: 'The conversation stays in this page. Reloading or closing it clears everything.',
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
  conversation: 'MedServer conversation',
  answer: 'MedServer answer',
  model: (name) => `Model: ${name ?? 'unknown'}`,
  made: (minute) => `Saved: ${minute}`,
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
  image: (number, name) => `Image ${number}, ${name}`,
  length: (length, limit) => `${figures.format(length)} of ${figures.format(limit)} characters`,
  notice: 'Message to you',
  dismiss: 'Dismiss',
};

export const turn = {
  user: 'You',
  assistant: 'Model',
  copy: 'Copy answer',
  copied: 'Copied',
  copyFailed: 'Copying was not allowed. Select the text instead.',
  download: 'Download',
  tryAgain: 'Try again',
  image: (number, name) => `Image ${number}: ${name}`,
  thinkingNow: (milliseconds) => (wholeSeconds(milliseconds) < 1 ? 'Thinking' : `Thinking, ${seconds(milliseconds)}`),
  thoughtFor: (milliseconds) => `Thought for ${wholeSeconds(milliseconds) < 1 ? 'less than a second' : seconds(milliseconds)}`,
};

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
    : 'All of it was spent thinking, and no answer was written. Ask again with thinking off.';
}

const FAILURES = {
  unreadable_stream: 'A part of the answer could not be read, so the rest was not shown.',
};

function failureLine({ sentence, code }) {
  return sentence ?? FAILURES[code] ?? 'The server gave no reason.';
}

/** How a reply ended: {tone, title, rest, code}. */
export function ending(reply) {
  const say = ENDINGS[reply.ending.kind] ?? ENDINGS.other;
  return { code: null, ...say(reply.ending, reply) };
}

const KEPT = 'Your message is back in the box.';
const megabytes = (n) => `${oneDecimal.format(n)} MB`;

// Said about what is about to be sent, or why it was not.
const NOTICES = {
  no_text: () => ({ title: 'Write what you want to know about the image.' }),
  already_replying: () => ({ title: 'An answer is still arriving.', rest: 'Wait for its end or stop it, then send.' }),
  loading: () => ({ title: 'The model is still loading.', rest: 'Your message stays here. Send it when the model is ready.' }),
  unknown_image_type: ({ names }) => ({
    title: `Not added: ${names.join(', ')}.`, rest: 'Images can be PNG, JPEG or WebP. A DICOM file has to be exported as one of these first.',
  }),
  unreadable_image: ({ name }) => ({ title: `${name} could not be read.`, rest: `Remove it and add it again. ${KEPT}` }),
  no_sample: () => ({ title: 'The sample images could not be fetched.', rest: 'Check the network, then try again.' }),
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
  const own = about.status || about.sentence ? null : NOTICES[about.code]?.(about);
  const tone = own && about.code !== 'unreachable' ? 'warn' : 'bad';
  return { tone, rest: '', code: null, ...(own ?? refused(about, now)) };
}

const STAGES = {
  starting: 'Starting', libraries: 'Loading the libraries', download: 'Downloading', processor: 'Loading the processor',
  weights: 'Loading the weights', 'self-test': 'Checking itself',
};

function stageName(stage) {
  if (!stage) return 'Loading the model';
  return Object.hasOwn(STAGES, stage) ? STAGES[stage] : `Loading: ${stage.replaceAll('_', ' ')}`;
}

export const status = {
  heading: 'Server status',
  labels: {
    connecting: 'Connecting', ready: 'Ready', loading: 'Loading', restarting: 'Restarting', degraded: 'Degraded', failed: 'Not working',
    unreachable: 'Offline',
  },
  progress: ({ stage, done, total }) => (total === null || total < 2 ? `${stageName(stage)}.` : `${stageName(stage)}, ${done} of ${total}.`),
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

/** The rows of the status panel: [name, value]. */
export function statusRows(health) {
  if (!health) return [];
  const engine = health.engine ?? {};
  const rows = [
    ['Model', health.model_name],
    ['Reads', health.supports_images ? 'text and images' : 'text only'],
    ['Engine', [engine.name, engine.state].filter(Boolean).join(', ')],
    ...(engine.tried ?? []).map(({ name, why }) => ['Not used', `${name}: ${why}`]),
    ['Restarts', engine.restarts > 0 ? figures.format(engine.restarts) : null],
    ['Reason', engine.why],
    ['Queue', health.queue ? `${figures.format(health.queue.active)} active, ${figures.format(health.queue.waiting)} waiting` : null],
    ['Context', Number.isFinite(health.max_model_len) ? count(health.max_model_len, 'token') : null],
    ['Version', health.version],
  ];
  return rows.filter(([, value]) => value);
}

export const clearing = {
  heading: 'Start a new session?',
  meaning: 'The conversation and its images are removed from this page. This cannot be undone.',
  confirm: 'Clear and start new',
  keep: 'Keep this session',
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
  if (milestone.kind === 'notice') return sentenceOf(notice(milestone.notice, now));
  if (milestone.standing.kind === 'ready') return 'The model is ready';
  return sentenceOf(standing(milestone.standing) ?? {});
}
