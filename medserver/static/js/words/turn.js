/**
 * One turn of the conversation, and what is done with it.
 */
import { capital, count, figures, numbered, own, seconds, wholeSeconds } from './figures.js';
import { sessions } from './sessions.js';

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

export const editing = {
  label: { user: 'Edit your message', assistant: 'Edit the answer' },
  send: 'Send again',
  save: 'Save',
  cancel: 'Cancel',
  meaning: { user: 'It is asked again from here. The earlier version is kept.', assistant: 'It is marked as edited. The earlier version is kept.' },
};

export const undo = {
  label: 'Undo',
  said: ({ kind, title }) => ({
    turns: 'The message was deleted.',
    draft: 'What you had written was replaced.',
    session: `The session “${title || sessions.untitled}” was deleted.`,
  }[kind]),
  undo: 'Undo',
  dismiss: 'Dismiss',
};
