/**
 * Makes a session's title from its first question, without asking a model; somebody may name it otherwise.
 */
const LONGEST = 60;

export function titleOf(question) {
  const line = question.split('\n').map((one) => one.trim()).find(Boolean) ?? '';
  const letters = [...line.replace(/\s+/g, ' ')];
  if (letters.length <= LONGEST) return letters.join('');
  const cut = letters.slice(0, LONGEST - 1).join('');
  const word = cut.lastIndexOf(' ');
  return `${(word > LONGEST / 2 ? cut.slice(0, word) : cut).trimEnd()}…`;
}

/** What somebody typed as a title, on one line. */
export function cleanTitle(typed) {
  return [...typed.replace(/\s+/g, ' ').trim()].slice(0, 200).join('');
}
