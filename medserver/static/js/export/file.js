/**
 * Makes the file that somebody asked for: an answer or the whole conversation, as Markdown or as a page to print. Does not save it.
 */
import { markdownOf } from './markdown.js';
import { answerOutline, conversationOutline, fileName } from './outline.js';
import { pageOf } from './page.js';

const FORMATS = {
  markdown: { extension: 'md', type: 'text/markdown', write: markdownOf },
  page: { extension: 'html', type: 'text/html', write: pageOf },
};

export function conversationFile(about, { format, thinking, at }) {
  return file(conversationOutline(about, { at, thinking }), format, at);
}

export function answerFile(reply, { format, thinking, at }) {
  return file(answerOutline(reply, { at, thinking }), format, at);
}

function file(outline, format, at) {
  const { extension, type, write } = FORMATS[format];
  return Object.freeze({ name: fileName(at, extension), type, text: write(outline) });
}
