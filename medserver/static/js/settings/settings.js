/**
 * What a reader may set for the answers of a session, and within which bounds; knows neither the page nor where it is kept.
 *
 * The names are those of the wire. null is the server's own choice, so that a request says only what somebody chose.
 */
export const untouched = Object.freeze({
  thinking: 'auto', model: null, system_prompt: null, temperature: null, top_p: null, max_tokens: null, loop_guard: null,
});

const THINKING = ['auto', 'on', 'off'];
const KINDS = { model: 'string', system_prompt: 'string', temperature: 'number', top_p: 'number', max_tokens: 'number', loop_guard: 'number' };

/** What was kept, as far as it makes sense here: it may come from an older page or from a file. */
export function settingsFrom(kept) {
  const known = Object.entries(KINDS).filter(([name, kind]) => typeof kept?.[name] === kind && (kind === 'string' || Number.isFinite(kept[name])));
  const chosen = Object.fromEntries(known.map(([name]) => [name, kept[name]]));
  return Object.freeze({ ...untouched, ...chosen, thinking: THINKING.includes(kept?.thinking) ? kept.thinking : 'auto' });
}

/** For a new session: how one likes to work stays, what was written for the last one goes. */
export const carriedOver = ({ thinking, model }) => Object.freeze({ ...untouched, thinking, model });

/** Those that the server may keep to itself. */
const POLICY = new Set(['temperature', 'top_p']);

/** Per number its {min, max, step, usual, locked}; `usual` is what the server takes where nobody chose. */
export function boundsOf(health) {
  const { temperature_min, temperature_max, top_p_min, top_p_max, max_model_len } = health;
  const bounds = {
    temperature: { min: temperature_min, max: temperature_max, step: 0.1, usual: health.default_temperature },
    top_p: { min: top_p_min, max: top_p_max, step: 0.05, usual: health.default_top_p },
    max_tokens: { min: 1, max: max_model_len, step: 1, usual: health.default_max_tokens },
    loop_guard: { min: 0, max: 10, step: 1, usual: health.loop_guard },
  };
  const free = health.allow_client_sampling_config !== false;
  return Object.fromEntries(Object.entries(bounds).map(([name, one]) => [name, Object.freeze({ ...one, locked: !free && POLICY.has(name) })]));
}

/** What was typed: {value}, null for nothing, or {problem}: not_a_number, not_whole or out_of_range. A comma is a point. */
export function read(text, { min, max, step }) {
  const typed = text.trim().replace(',', '.');
  if (typed === '') return { value: null };
  const value = Number(typed);
  if (!Number.isFinite(value)) return { problem: 'not_a_number' };
  if (Number.isInteger(step) && !Number.isInteger(value)) return { problem: 'not_whole' };
  return value < min || value > max ? { problem: 'out_of_range' } : { value };
}

/** What of `settings` this server takes: a policy may have become stricter since they were chosen. */
export function allowed(settings, health) {
  if (health?.allow_client_sampling_config !== false) return settings;
  return Object.freeze({ ...settings, ...Object.fromEntries([...POLICY].map((name) => [name, null])) });
}
