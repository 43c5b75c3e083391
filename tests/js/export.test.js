import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ending from '../../medserver/static/js/ending.js';
import { answerFile, conversationFile } from '../../medserver/static/js/export.js';

const at = new Date(2026, 10, 22, 4, 5).getTime();
const health = { model_name: 'MedGemma 1.5 4B', demo: false };
const question = { role: 'user', text: 'What is it?', images: [{ name: 'prior.png' }, { name: 'current.png' }] };
const reply = (more) => ({ role: 'assistant', text: 'Clear.', thinking: '', ending: ending.byReason(null), ...more });

test('a conversation says who, when, the images in their order, and that it needs validation', () => {
  const { name, text } = conversationFile([question, reply({ thinking: 'one\ntwo' })], { health, at });
  assert.equal(name, 'medserver-2026-11-22-0405.md');
  assert.match(text, /Model: MedGemma 1\.5 4B {2}\nSaved: 2026-11-22 04:05/);
  assert.match(text, /needs validation by a qualified professional/);
  assert.match(text, /- Image 1: prior\.png\n- Image 2: current\.png\n\nWhat is it\?/);
  assert.match(text, /> one\n> two\n\nClear\.\n$/);
  assert.doesNotMatch(text, /demo/);
});

test('the demo is named in every file', () => {
  const demo = { model_name: 'MedServer demo', demo: true };
  for (const { text } of [conversationFile([question, reply()], { health: demo, at }), answerFile(reply(), { health: demo, at })]) {
    assert.match(text, /MedServer demo, not MedGemma/);
  }
});

test('an answer that is not whole says so at its end', () => {
  const say = (more) => answerFile(reply(more), { health, at }).text;
  assert.match(say({ ending: ending.byReader() }), /\*\*Stopped by you\. The answer is incomplete\.\*\*\n$/);
  assert.match(say({ ending: null }), /Saved before the answer had ended/);
  assert.match(say({}), /Clear\.\n$/);
});

test('headings of the model stay below ours, code stays as it is', () => {
  const { text } = answerFile(reply({ text: '# Findings\n```\n# a comment\n```\n## Impression\n#5 is no heading' }), { health, at });
  assert.match(text, /### Findings\n```\n# a comment\n```\n#### Impression\n#5 is no heading/);
});
