/**
 * How much of the model's context a conversation takes, estimated before it is sent; the server counts exactly.
 */
import { isEmpty } from './draft.js';

// Of English clinical prose about four characters are a token, of figures and doses fewer; too high warns too early, too low too late.
const CHARACTERS_PER_TOKEN = 3.5;
const TOKENS_PER_TURN = 5; // the marks around it
const IMAGE_MARKS = 4; // the two around an image, and its blank lines

const tokensOf = (text) => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

/**
 * {used, room, limit} in tokens: what the prompt takes, what is left for the answer, and all there is. null until the server said how much.
 *
 * `prompt` is the system prompt that will be used.
 */
export function contextUse({ turns, draft, prompt, health }) {
  const limit = health?.max_model_len;
  if (!Number.isFinite(limit)) return null;
  const asked = [...turns, ...(isEmpty(draft) ? [] : [draft])];
  const images = asked.reduce((sum, turn) => sum + (turn.images?.length ?? 0), 0);
  const words = asked.reduce((sum, turn) => sum + tokensOf(turn.text) + TOKENS_PER_TURN, 0);
  const used = asked.length === 0 ? 0 : tokensOf(prompt ?? '') + words + images * ((health.image_tokens ?? 0) + IMAGE_MARKS);
  return Object.freeze({ used, room: Math.max(0, limit - used), limit });
}
