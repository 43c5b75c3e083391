/**
 * Asks the server for the system prompts that it adds by itself.
 */
export async function loadServerPrompts(fetch) {
  try {
    const { system_prompts: { text, image } } = await (await fetch('/api/models')).json();
    return typeof text === 'string' && typeof image === 'string' ? { text, image } : null;
  } catch {
    return null; // the page works without them
  }
}
