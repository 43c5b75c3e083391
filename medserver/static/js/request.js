/**
 * Writes a conversation as the body of POST /api/chat; does not send it, and does not know how images are read.
 *
 * Thoughts are left out on purpose: sent back as history they make the model think more.
 */
export function chatRequest(turns, { thinking, model, addressOf }) {
  return {
    ...(model && { model }),
    messages: turns.map((turn) => messageOf(turn, addressOf)).filter(Boolean),
    thinking,
    stream: true,
  };
}

/** Every image the request will carry, in the order it will carry them. */
export function imagesIn(turns) {
  return turns.flatMap((turn) => turn.images ?? []);
}

function messageOf(turn, addressOf) {
  if (turn.role === 'assistant') return turn.text ? { role: 'assistant', content: turn.text } : null;
  const message = { role: 'user', content: turn.text };
  if (turn.images.length > 0) message.image_data = turn.images.map(addressOf);
  return message;
}
