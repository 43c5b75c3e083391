/**
 * Makes nodes that are shown equal to freshly built ones by touching only what differs; knows neither Markdown nor the page, only that a formula
 * is filled in after it was made.
 *
 * A list of 200 lines grows at its end: laid out anew for each token it cost 36 ms a frame, and a selection or a table's scroll was lost.
 */

/** `shown` are the last children of `parent`. Returns the nodes that stand there now, one for each of `fresh`. */
export function patch(parent, shown, fresh) {
  shown.slice(fresh.length).forEach((node) => node.remove());
  const kept = fresh.slice(0, shown.length).map((node, index) => become(shown[index], node));
  const added = fresh.slice(shown.length);
  parent.append(...added);
  return [...kept, ...added];
}

function become(shown, fresh) {
  if (shown.isEqualNode(fresh) || isSameFormula(shown, fresh)) return shown;
  if (shown.cloneNode(false).isEqualNode(fresh.cloneNode(false))) {
    patch(shown, [...shown.childNodes], [...fresh.childNodes]);
    return shown;
  }
  shown.replaceWith(fresh);
  return fresh;
}

/** One that has been typeset no longer holds its source, but says in its attributes what it was made from. */
function isSameFormula(shown, fresh) {
  return fresh.dataset?.tex !== undefined && shown.cloneNode(false).isEqualNode(fresh.cloneNode(false));
}
