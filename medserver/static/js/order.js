/**
 * Where something lands among its neighbours when it is moved; knows only numbers.
 */
export function moved(items, from, to) {
  const rest = items.filter((_, index) => index !== from);
  return [...rest.slice(0, to), items[from], ...rest.slice(to)];
}

/** The place of what is dragged from `from`, with its middle now at `at`: it has passed every neighbour whose middle it has passed. */
export function placeAt(middles, from, at) {
  return middles.filter((middle, index) => index !== from && (index < from ? middle < at : middle <= at)).length;
}

/** How many places what stands at `index` makes room by, while `from` is held over `to`. */
export function roomAt(index, from, to) {
  if (index > from && index <= to) return -1;
  return index < from && index >= to ? 1 : 0;
}
