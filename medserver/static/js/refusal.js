/**
 * Reads why the server would not begin a reply; knows the shape of a refusal, not its words.
 *
 * A refusal: {status, code, sentence, retryAt, requestId}. `sentence` is the server's own, or null where something between us answered.
 */
export async function readRefusal(response, now) {
  const said = await jsonOf(response);
  return Object.freeze({
    status: response.status,
    code: typeof said?.code === 'string' ? said.code : null,
    sentence: typeof said?.detail === 'string' ? said.detail : null,
    retryAt: retryTime(response.headers.get('Retry-After'), now),
    requestId: response.headers.get('X-Request-ID'),
  });
}

/** No answer at all: the server is down or the network is gone. */
export function unreachable() {
  return Object.freeze({ status: 0, code: 'unreachable', sentence: null, retryAt: null, requestId: null });
}

/** A picked file can be moved or deleted before it is sent. */
export function unreadableImage(name) {
  return Object.freeze({ status: 0, code: 'unreadable_image', name, sentence: null, retryAt: null, requestId: null });
}

async function jsonOf(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

/** Retry-After is seconds or a date. */
export function retryTime(header, now) {
  if (!header) return null;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return now + Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : date;
}
