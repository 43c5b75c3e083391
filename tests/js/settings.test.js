import assert from 'node:assert/strict';
import { test } from 'node:test';

import { contextUse } from '../../medserver/static/js/context.js';
import { Device } from '../../medserver/static/js/device.js';
import { choiceOf, effectivePrompt, promptsFrom, withoutPrompt, withPrompt } from '../../medserver/static/js/settings/prompts.js';
import { allowed, boundsOf, read, untouched } from '../../medserver/static/js/settings/settings.js';
import { themeFrom } from '../../medserver/static/js/settings/theme.js';
import { forgotten, initialState, keeping, preferred, shelved } from '../../medserver/static/js/state.js';
import { isExposed } from '../../medserver/static/js/views/encryption.js';

const HEALTH = {
  temperature_min: 0, temperature_max: 2, top_p_min: 0.01, top_p_max: 1, default_temperature: 0.3, default_top_p: 0.95,
  default_max_tokens: 2048, max_model_len: 8192, loop_guard: 5, image_tokens: 256, allow_client_sampling_config: true,
};

test('a typed number is taken within its bounds, with a comma as well as a point', () => {
  const { temperature, max_tokens } = boundsOf(HEALTH);
  assert.deepEqual(read(' 0,7 ', temperature), { value: 0.7 });
  assert.deepEqual(read('', temperature), { value: null });
  assert.deepEqual(read('2.1', temperature), { problem: 'out_of_range' });
  assert.deepEqual(read('warm', temperature), { problem: 'not_a_number' });
  assert.deepEqual(read('Infinity', temperature), { problem: 'not_a_number' });
  assert.deepEqual(read('12.5', max_tokens), { problem: 'not_whole' });
  assert.deepEqual(read('8192', max_tokens), { value: 8192 });
  assert.deepEqual(read('0', max_tokens), { problem: 'out_of_range' });
});

test('what the server keeps to itself is locked, and not sent even if it was chosen before', () => {
  const strict = { ...HEALTH, allow_client_sampling_config: false };
  const locked = Object.entries(boundsOf(strict)).filter(([, one]) => one.locked).map(([name]) => name);
  assert.deepEqual(locked, ['temperature', 'top_p']);
  const chosen = { ...untouched, temperature: 1, max_tokens: 100, system_prompt: 'Brief.' };
  assert.deepEqual(allowed(chosen, strict), { ...chosen, temperature: null });
  assert.equal(allowed(chosen, HEALTH), chosen);
});

test('prompts are kept by name, and what cannot be one is left out', () => {
  const kept = withPrompt(withPrompt([], { name: ' Ward ', text: 'Brief.' }), { name: 'Case', text: 'Long.' });
  assert.deepEqual(kept.map(({ name }) => name), ['Case', 'Ward']);
  assert.deepEqual(withPrompt(kept, { name: 'Ward', text: 'Briefer.' }).find(({ name }) => name === 'Ward').text, 'Briefer.');
  assert.deepEqual(withoutPrompt(kept, 'Ward').map(({ name }) => name), ['Case']);
  assert.deepEqual(promptsFrom([{ name: 'x' }, null, { name: ' ', text: '' }, { name: 'y', text: 'Y', more: 1 }]), [{ name: 'y', text: 'Y' }]);
  assert.deepEqual(promptsFrom('nonsense'), []);
});

test('a text is known as the choice that it is', () => {
  const kept = promptsFrom([{ name: 'Ward', text: 'Brief.' }]);
  assert.deepEqual(choiceOf(null, kept), { kind: 'server' });
  assert.deepEqual(choiceOf('', kept), { kind: 'none' });
  assert.deepEqual(choiceOf('Brief.', kept), { kind: 'kept', name: 'Ward' });
  assert.deepEqual(choiceOf('Brief!', kept), { kind: 'own' });
});

test('the prompt that will be used is the one for what the conversation holds', () => {
  const own = { text: 'T', image: 'I' };
  assert.equal(effectivePrompt(null, own, false), 'T');
  assert.equal(effectivePrompt(null, own, true), 'I');
  assert.equal(effectivePrompt('', own, true), '');
  assert.equal(effectivePrompt(null, null, true), null);
});

test('the context counts the prompt, every turn and 260 tokens for an image', () => {
  const draft = { text: 'x'.repeat(350), images: [{}, {}] };
  const use = contextUse({ turns: [], draft, prompt: 'y'.repeat(70), health: HEALTH });
  assert.deepEqual(use, { used: 20 + 100 + 5 + 2 * 260, room: 8192 - 645, limit: 8192 });
  assert.equal(contextUse({ turns: [], draft: { text: '', images: [] }, prompt: 'y', health: HEALTH }).used, 0);
  assert.equal(contextUse({ turns: [{ text: 'x'.repeat(40_000) }], draft, prompt: '', health: HEALTH }).room, 0);
  assert.equal(contextUse({ turns: [], draft, prompt: '', health: null }), null);
});

test('preferences outlive the page where the browser allows it, and last as long as the page where not', () => {
  const kept = new Map();
  const storage = {
    getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => { kept.set(name, value); storage[name] = value; },
    removeItem: (name) => { kept.delete(name); delete storage[name]; },
  };
  const device = new Device(() => storage);
  assert.equal(device.read('theme'), null);
  assert.equal(device.keep('theme', 'light'), true);
  assert.equal(new Device(() => storage).read('theme'), 'light');
  kept.set('medserver.theme', '{');
  assert.equal(new Device(() => storage).read('theme'), null);
  device.forget();
  assert.deepEqual([kept.size, device.read('theme')], [0, null]);

  const refused = new Device(() => { throw new Error('SecurityError'); });
  assert.equal(refused.keep('theme', 'light'), false);
  assert.equal(refused.read('theme'), 'light');
  refused.forget();
  assert.equal(refused.read('theme'), null);
});

test('after a wipe nothing of what this device kept stays in the page', () => {
  const prompts = [{ name: 'Mine', text: 'Be brief.' }];
  const changes = [preferred({ theme: 'light', prompts }), shelved({ query: 'Smith', found: [] }), keeping('draft', { code: 'quota' }), forgotten()];
  const after = changes.reduce((state, change) => change(state), initialState);
  assert.deepEqual(after, initialState);
});

test('a page over http from another machine is exposed, one from this machine is not', () => {
  assert.equal(isExposed({ protocol: 'http:', hostname: '192.168.1.20' }), true);
  assert.equal(isExposed({ protocol: 'http:', hostname: 'ward-pc.local' }), true);
  for (const hostname of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) assert.equal(isExposed({ protocol: 'http:', hostname }), false);
  assert.equal(isExposed({ protocol: 'https:', hostname: '192.168.1.20' }), false);
});

test('an unknown theme is the dark one', () => {
  assert.deepEqual(['light', 'contrast', 'pink', null].map(themeFrom), ['light', 'contrast', 'dark', 'dark']);
});
