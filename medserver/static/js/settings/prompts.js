/**
 * The system prompts of one's own, by name; knows neither the page nor where they are kept.
 */
const byName = (one, other) => one.name.localeCompare(other.name);

/** What was kept, or as much of it as makes sense: it may come from another version. */
export function promptsFrom(kept) {
  const whole = (one) => typeof one?.name === 'string' && one.name.trim() !== '' && typeof one?.text === 'string';
  return Object.freeze(Array.isArray(kept) ? kept.filter(whole).map(({ name, text }) => Object.freeze({ name, text })).sort(byName) : []);
}

/** One of the same name is replaced. */
export function withPrompt(prompts, { name, text }) {
  const others = prompts.filter((one) => one.name !== name.trim());
  return promptsFrom([...others, { name: name.trim(), text }]);
}

export function withoutPrompt(prompts, name) {
  return promptsFrom(prompts.filter((one) => one.name !== name));
}

/**
 * Which choice a text is: {kind: server | none | kept | own}, with the name of a kept one.
 */
export function choiceOf(text, prompts) {
  if (text === null) return { kind: 'server' };
  if (text === '') return { kind: 'none' };
  const kept = prompts.find((one) => one.text === text);
  return kept ? { kind: 'kept', name: kept.name } : { kind: 'own' };
}

/** The text that will be used; `serverPrompts` is {text, image}, null until they are known. */
export function effectivePrompt(text, serverPrompts, hasImages) {
  return text ?? (serverPrompts ? serverPrompts[hasImages ? 'image' : 'text'] : null);
}
