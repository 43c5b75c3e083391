import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as ending from '../../medserver/static/js/ending.js';
import { answerFile, conversationFile } from '../../medserver/static/js/export/file.js';
import { STYLE, STYLE_HASH } from '../../medserver/static/js/export/page.js';

const at = new Date(2026, 10, 22, 4, 5).getTime();
const made = { model: 'MedGemma 1.5 4B', engine: 'sglang', demo: false, parameters: { temperature: 0.3, thinking: 'auto' } };
const question = { role: 'user', text: 'What is it?', images: [{ name: 'prior.png' }, { name: 'current.png' }], at };
const reply = (more) => ({ role: 'assistant', text: 'Clear.', thinking: 'one\ntwo', ending: ending.byReason(null), at, made, edited: false, ...more });
const how = (more) => ({ format: 'markdown', thinking: false, at, ...more });
const session = { title: 'Chest' };
const written = (turns, more) => conversationFile({ turns, session }, how(more));

test('a conversation says what it is, by whom, when, with what, and which images in their order', () => {
  const { name, type, text } = written([question, reply()]);
  assert.deepEqual([name, type], ['medserver-2026-11-22-0405.md', 'text/markdown']);
  assert.match(text, /^# AI-generated, not verified by a clinician\n/);
  assert.match(text, /Contents: MedServer conversation: Chest {2}\nSaved: 2026-11-22 04:05/);
  assert.match(text, /needs validation by a qualified professional/);
  assert.match(text, /- Image 1: prior\.png\n- Image 2: current\.png\n\n```text\nWhat is it\?\n```/);
  assert.match(text, /\*Model: MedGemma 1\.5 4B\* {2}\n\*Engine: sglang\* {2}\n\*Parameters: temperature 0\.3, thinking auto\*/);
  assert.match(text, /Clear\.\n$/);
  assert.doesNotMatch(text, /demo/);
});

test('the thinking is there only where it was asked for', () => {
  for (const format of ['markdown', 'page']) {
    assert.doesNotMatch(written([question, reply()], { format }).text, /one\n/);
    assert.match(written([question, reply()], { format, thinking: true }).text, /one\n(> )?two/);
  }
});

test('an edited answer and a demo are named in every format, and an unknown model is not hidden', () => {
  const demo = { ...made, model: 'MedServer demo', demo: true };
  for (const format of ['markdown', 'page']) {
    assert.match(answerFile(reply({ edited: true }), how({ format })).text, /Model, edited by you/);
    assert.match(answerFile(reply({ made: demo }), how({ format })).text, /MedServer demo, not MedGemma/);
    assert.match(answerFile(reply({ made: null }), how({ format })).text, /Model unknown/);
  }
});

test('an answer that is not whole says so at its end', () => {
  const say = (more) => answerFile(reply(more), how()).text;
  assert.match(say({ ending: ending.byReader() }), /\*\*Stopped by you\. The answer is incomplete\.\*\*\n$/);
  assert.match(say({ ending: null }), /Saved before the answer had ended/);
  assert.match(answerFile(reply({ ending: ending.byReader() }), how({ format: 'page' })).text, /class="ending">Stopped by you\./);
});

test('headings of the model stay below ours, code stays as it is, and no tag is one', () => {
  const text = '# Findings\n```\n# a <b>comment</b>\n```\n## Impression\n#5 is no heading, 5 < 6, <script>alert(1)</script>';
  assert.match(answerFile(reply({ text }), how()).text,
    /### Findings\n```\n# a <b>comment<\/b>\n```\n#### Impression\n#5 is no heading, 5 < 6, \\<script>alert\(1\)\\<\/script>/);
});

test('what somebody typed cannot leave its fence', () => {
  const { text } = written([{ ...question, text: '````\n# not a heading' }]);
  assert.match(text, /\n`````text\n````\n# not a heading\n`````\n/);
});

test('the page runs nothing, loads nothing, and holds every text as text', () => {
  const hostile = '<img src=x onerror=alert(1)></title></style><script>alert(1)</script>"\'';
  const { name, text } = conversationFile({
    turns: [{ ...question, text: hostile, images: [{ name: hostile }] }, reply({ text: `${hostile}\n\n[x](javascript:alert(1))`, thinking: hostile, made: { ...made, model: hostile } })],
    session: { title: hostile },
  }, how({ format: 'page', thinking: true }));
  assert.match(name, /\.html$/);
  assert.match(text, /http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/);
  const tags = [...text.matchAll(/<\s*\/?\s*([a-z0-9]+)/gi)].map(([, tag]) => tag.toLowerCase());
  assert.deepEqual(tags.filter((tag) => ['script', 'img', 'iframe', 'object', 'a', 'link'].includes(tag)), []);
  assert.equal(tags.filter((tag) => tag === 'style').length, 2);
  assert.doesNotMatch(text, /<[^>]*\son[a-z]+=/i);
});

test('the policy of the page allows exactly its own style', () => {
  assert.equal(STYLE_HASH, `sha256-${createHash('sha256').update(STYLE).digest('base64')}`);
});

test('Markdown of the model becomes a document, tables and lists and all', () => {
  const { text } = answerFile(reply({ text: '## A\n\n- one\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n\n5*10^9/L' }), how({ format: 'page' }));
  assert.match(text, /<h4>A<\/h4><ul><li>one<\/li><\/ul>/);
  assert.match(text, /<td>1<\/td><td data-align="right">2<\/td>/);
  assert.match(text, /5\*10\^9\/L/);
});
