/**
 * Writes an outline as one HTML page to read or print, which loads nothing and runs nothing: its own policy forbids it.
 */
import { isIntricate } from '../markdown/bounds.js';
import { tokensOf } from '../markdown/clinical.js';
import { Renderer } from '../markdown/render.js';
import * as words from '../words/index.js';
import { paper } from './paper.js';

export const STYLE = `
body{max-width:46rem;margin:2rem auto;padding:0 1rem;background:#fff;color:#18181b;font:16px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25}h2{margin:2rem 0 .25rem;font-size:1.125rem;break-after:avoid}
.facts,.notes,.images{margin:.25rem 0;padding:0;color:#52525b;font-size:.875rem;list-style:none}
.warning,.ending{margin:1rem 0;padding:.5rem .75rem;border:1px solid #b45309;border-left-width:4px;font-weight:600}
.typed{white-space:pre-wrap;padding:.75rem 1rem;background:#f4f4f5}
.thought{white-space:pre-wrap;padding-left:1rem;border-left:2px solid #a1a1aa;color:#52525b;font-size:.875rem}
pre{padding:.75rem 1rem;background:#f4f4f5;white-space:pre-wrap}table{border-collapse:collapse}
th,td{padding:.25rem .75rem .25rem 0;border-bottom:1px solid #d4d4d8;text-align:left;vertical-align:top}
[data-align=right]{text-align:right}[data-align=center]{text-align:center}.unparsed{white-space:pre-wrap}
@media print{body{margin:0;max-width:none}}
`;

// Of STYLE, because crypto.subtle does not exist on plain http; a test computes it.
export const STYLE_HASH = 'sha256-ny1J/vCM39hUvYqvLHTKSvcCbkPE5oz6QRxz7p8tmEE=';

const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

export function pageOf({ title, facts, warnings, turns }) {
  const head = node('head', {}, [
    node('meta', { charset: 'utf-8' }),
    node('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }),
    node('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    node('title', {}, [title]),
  ]);
  const body = node('body', {}, [
    node('h1', {}, [title]),
    node('p', { class: 'facts' }, [facts.map(([name, value]) => `${name}: ${value}`).join(' · ')]),
    ...warnings.map((warning) => node('p', { class: 'warning' }, [warning])),
    ...turns.map(section),
  ]);
  // The style is ours and holds nothing to escape; escaped, it would be another style.
  const whole = node('html', { lang: 'en' }, [head, body]).toString().replace('</head>', () => `<style>${STYLE}</style></head>`);
  return `<!doctype html>\n${whole}\n`;
}

const node = (tag, attributes, children = []) => new Renderer(paper).element(tag, children, attributes);

function section({ who, notes, images, thought, text, set, ending }) {
  return node('section', {}, [
    node('h2', {}, [who]),
    node('p', { class: 'notes' }, [notes.join(' · ')]),
    ...(images.length > 0 ? [node('ul', { class: 'images' }, images.map((image) => node('li', {}, [image])))] : []),
    ...(thought ? [node('p', { class: 'notes' }, [words.file.thought]), node('div', { class: 'thought' }, [thought])] : []),
    ...(set ? documentOf(text) : [node('p', { class: 'typed' }, [text])]),
    ...(ending ? [node('p', { class: 'ending' }, [ending])] : []),
  ]);
}

function documentOf(text) {
  try {
    if (!isIntricate(text)) return new Renderer(paper).blocks(tokensOf(text));
  } catch {
    // Hostile nesting overflows any recursive parser; then the characters are shown as they came.
  }
  return [node('p', { class: 'unparsed' }, [text])];
}
