/**
 * Sets formulas as MathML with KaTeX, which is fetched when the first one is there; until then, and where that fails, its source is read.
 *
 * A session that is opened may hold hundreds: they are set a few at a time, so that the page stays with its reader.
 */
const OPTIONS = Object.freeze({ output: 'mathml', throwOnError: true, strict: 'ignore', trust: false, maxSize: 10, maxExpand: 100 });
const AT_ONCE = 8; // milliseconds of a frame

let katex = null;
let loading = null;
let waiting = [];

/** Each of `nodes` shows its source, and says in `data-tex` what it means. */
export function typeset(nodes) {
  const idle = waiting.length === 0;
  waiting.push(...nodes);
  if (!katex) load();
  else if (idle) setSome();
}

function load() {
  loading ??= import('../../vendor/katex/katex.js').then((loaded) => {
    katex = loaded;
    setSome();
  }, () => { loading = null; }); // it is tried again with the next formula
}

function setSome() {
  const began = performance.now();
  while (waiting.length > 0 && performance.now() - began < AT_ONCE) set(waiting.shift());
  if (waiting.length > 0) setTimeout(setSome);
}

function set(node) {
  if (!node.isConnected) return;
  const source = node.textContent;
  try {
    katex.render(node.dataset.tex, node, { ...OPTIONS, displayMode: node.dataset.display !== undefined });
  } catch {
    node.textContent = source;
  }
}
