/**
 * Decodes the character names a model writes (`&lt;`, `&deg;`); knows only these, and leaves every other `&` as it stands.
 *
 * The browser's own table is reachable only through an HTML string, which this page never makes. Numbers (`&#60;`) are decoded by marked.
 */
const NAMED = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', ensp: '\u2002', emsp: '\u2003', thinsp: '\u2009',
  deg: '°', plusmn: '±', times: '×', divide: '÷', minus: '−', le: '≤', ge: '≥', ne: '≠', asymp: '≈', infin: '∞', radic: '√', sum: '∑',
  micro: 'µ', alpha: 'α', beta: 'β', gamma: 'γ', delta: 'δ', Delta: 'Δ', kappa: 'κ', lambda: 'λ', mu: 'μ', sigma: 'σ', omega: 'ω', Omega: 'Ω',
  sup1: '¹', sup2: '²', sup3: '³', frac12: '½', frac14: '¼', frac34: '¾', permil: '‰', middot: '·', bull: '•', hellip: '…',
  ndash: '–', mdash: '—', lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', prime: '′', Prime: '″',
  larr: '←', uarr: '↑', rarr: '→', darr: '↓', harr: '↔', copy: '©', reg: '®', trade: '™', sect: '§', para: '¶', dagger: '†',
};

export function decodeEntities(text) {
  if (!text.includes('&')) return text;
  return text.replace(/&([A-Za-z][A-Za-z0-9]*);/g, (whole, name) => (Object.hasOwn(NAMED, name) ? NAMED[name] : whole));
}
