/**
 * Markdown without its marks, for a line that only quotes it; what may be a figure stays as it is. Knows no tokens: it is asked for thousands of texts.
 */
const MARKS = [
  [/^[ \t]*(?:`{3,}|~{3,})[^\n]*$/gm, ''],
  [/^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*(?:\|[ \t]*:?-{3,}:?[ \t]*)*\|?[ \t]*$/gm, ''],
  [/^[ \t]{0,3}#{1,6}[ \t]+/gm, ''],
  [/^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+/gm, ''],
  [/^[ \t]*>[ \t]+(?![\d.])/gm, ''],
  [/!?\[([^\]\n]{1,300})\]\([^()\s]{1,600}\)/g, '$1'],
  [/(\*\*|__)(?=\S)([^*_\n]{1,300}?)\1/g, '$2'],
  [/(^|[^\w*])\*(?=[^\s*])([^*\n]{1,300}?)\*(?![\w*])/g, '$1$2'],
  [/`([^`\n]{1,300})`/g, '$1'],
  [/[ \t]*\|[ \t]*/g, ' '],
];

export function plain(markdown) {
  return MARKS.reduce((text, [mark, instead]) => text.replace(mark, instead), markdown);
}
