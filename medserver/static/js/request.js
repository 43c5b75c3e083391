/**
 * Writes a conversation as the body of POST /api/chat; does not send it, and does not know how images are read.
 *
 * Thoughts are left out on purpose: sent back as history they make the model think more. Where a reply stands last, the server goes on with it.
 */
import { labelLines } from './label.js';

export function chatRequest(turns, { settings, addressOf }) {
  const chosen = Object.entries(settings).filter(([, value]) => value !== null);
  return { ...Object.fromEntries(chosen), messages: turns.map((turn) => messageOf(turn, addressOf)).filter(Boolean), stream: true };
}

/** Every image the request will carry, in the order it will carry them. */
export function imagesIn(turns) {
  return turns.flatMap((turn) => turn.images ?? []);
}

/** What an answer is made by and with, as far as it is known: kept with the answer, because a server can change. */
export function originOf(health, settings) {
  return Object.freeze({
    model: settings.model ?? health?.model_name ?? null,
    engine: health?.engine?.name ?? null,
    demo: health?.demo === true,
    parameters: Object.freeze({
      ...(Number.isFinite(health?.default_temperature) && { temperature: health.default_temperature, top_p: health.default_top_p }),
      ...Object.fromEntries(Object.entries(settings).filter(([name, value]) => !['model', 'system_prompt'].includes(name) && value !== null)),
      ...(settings.system_prompt !== null && { system_prompt: settings.system_prompt === '' ? 'none' : 'own' }),
    }),
  });
}

function messageOf(turn, addressOf) {
  if (turn.role === 'assistant') return turn.text ? { role: 'assistant', content: turn.text } : null;
  const message = { role: 'user', content: contentOf(turn) };
  if (turn.images.length > 0) message.image_data = turn.images.map(addressOf);
  return message;
}

/** Plain text follows its images; where they are labelled, each stands after its own line. */
function contentOf({ text, images }) {
  const lines = labelLines(images);
  if (lines.length === 0) return text;
  return [...lines.flatMap((line) => [{ type: 'text', text: line }, { type: 'image' }]), { type: 'text', text }];
}
