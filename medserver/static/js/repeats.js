/**
 * Finds where the end of a text says the same over and over, so that it can be shown once; does not decide what counts as running in circles,
 * the server has done that.
 *
 * A Z-function over the reversed end gives every period in one pass; the one that holds for longest is meant, of its multiples the smallest: a
 * round may itself end in a rule of dashes.
 */
const WINDOW = 4800;
const FEWEST = 3;
const SHORTEST = 40;

/** {once, rest, times} or null: the text up to the end of the first round, what came after it, and how often it came. */
export function repeatsIn(text) {
  const end = [...reversed(text.slice(-WINDOW))];
  const matches = zFunction(end);
  let best = { period: 0, length: 0 };
  for (let period = 1; period * FEWEST <= end.length; period += 1) {
    const length = matches[period] + period;
    if (length >= Math.max(SHORTEST, FEWEST * period) && length > best.length) best = { period, length };
  }
  return best.period > 0 ? folded(text, best.period) : null;
}

function* reversed(text) {
  for (let at = text.length - 1; at >= 0; at -= 1) yield text.charCodeAt(at);
}

function folded(text, period) {
  let start = text.length - period;
  while (start > 0 && text[start - 1] === text[start - 1 + period]) start -= 1;
  // Between two words, so that no half of one stands at the end.
  const shift = Math.max(0, ` ${text}`.slice(start, start + period + 1).search(/\s\S/));
  const once = start + shift + period;
  return once >= text.length ? null : Object.freeze({ once: text.slice(0, once), rest: text.slice(once), times: Math.floor((text.length - once) / period) });
}

/** For each place, how many units from there are the same as from the beginning. */
function zFunction(units) {
  const z = new Array(units.length).fill(0);
  let left = 0;
  let right = 0;
  for (let at = 1; at < units.length; at += 1) {
    if (at < right) z[at] = Math.min(right - at, z[at - left]);
    while (at + z[at] < units.length && units[z[at]] === units[at + z[at]]) z[at] += 1;
    if (at + z[at] > right) [left, right] = [at, at + z[at]];
  }
  return z;
}
