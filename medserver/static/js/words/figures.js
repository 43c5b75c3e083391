/**
 * How this language writes figures, sizes and times; the other texts are made with it.
 */
export const figures = new Intl.NumberFormat('en');
export const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** What a table of ours says of a name that came from outside, which may be `constructor`. */
export const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

export const count = (n, one, many = `${one}s`) => `${figures.format(n)} ${n === 1 ? one : many}`;
export const megabytes = (n) => `${oneDecimal.format(n)} MB`;
export const wholeSeconds = (milliseconds) => Math.floor(milliseconds / 1000);
export const seconds = (milliseconds) => count(wholeSeconds(milliseconds), 'second');
export const timeUntil = (at, now) => {
  const left = Math.max(1, Math.ceil((at - now) / 1000));
  return left > 120 ? count(Math.ceil(left / 60), 'minute') : count(left, 'second');
};

export const numbered = (number, label) => `image ${number}${label ? ` (${label})` : ''}`;
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A plain number, as the page writes all of them. */
export const figure = (value) => (Number.isFinite(value) ? figures.format(value) : '');
