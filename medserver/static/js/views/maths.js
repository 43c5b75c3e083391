/**
 * Sets formulas as MathML with KaTeX, which is fetched when the first one is there; until then, and where that fails, its source is read.
 */
const OPTIONS = Object.freeze({ output: 'mathml', throwOnError: true, strict: 'ignore', trust: false, maxSize: 10, maxExpand: 100 });

let katex = null;
let loading = null;
const waiting = new Set();

/** `node` shows the source, and says in `data-tex` what it means. */
export function typeset(node) {
  if (katex) {
    set(node);
    return;
  }
  waiting.add(node);
  loading ??= import('../../vendor/katex/katex.js').then((loaded) => {
    katex = loaded;
    waiting.forEach(set);
    waiting.clear();
  }, () => { loading = null; }); // it is tried again with the next formula
}

function set(node) {
  const source = node.textContent;
  try {
    katex.render(node.dataset.tex, node, { ...OPTIONS, displayMode: node.dataset.display !== undefined });
  } catch {
    node.textContent = source;
  }
}
