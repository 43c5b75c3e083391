/**
 * Writes an outline as a Markdown document. The model's own headings stay below ours, and what a person typed stays as it was typed.
 */
import * as words from '../words/index.js';

export function markdownOf({ title, facts, warnings, turns }) {
  const parts = [
    `# ${title}`,
    facts.map(([name, value]) => `${name}: ${plain(value)}`).join('  \n'),
    ...warnings.map((warning) => `> **${warning}**`),
    ...turns.flatMap(turnLines),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function turnLines({ who, notes, images, thought, text, set, ending }) {
  return [
    `## ${who}`,
    notes.map((note) => `*${plain(note)}*`).join('  \n'),
    images.map((image) => `- ${plain(image)}`).join('\n'),
    thought && `> ${words.file.thought}\n>\n${quoted(thought)}`,
    set ? lowered(text) : typed(text),
    ending && `**${plain(ending)}**`,
  ];
}

const quoted = (text) => text.split('\n').map((line) => `> ${line}`).join('\n');

/** On one line, and no mark of Markdown or HTML in it means anything. */
const plain = (text) => text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>#|!]/g, '\\$&');

/** A fence longer than any in the text keeps every character of it. */
function typed(text) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return text && `${fence}text\n${text}\n${fence}`;
}

/** Two levels down, and no tag is one; fenced code is left alone. */
function lowered(text) {
  let fence = null;
  return text.split('\n').map((line) => {
    const [, mark] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    if (mark && (fence === null || mark.startsWith(fence))) fence = fence === null ? mark : null;
    return fence === null ? untagged(line.replace(/^ {0,3}(#{1,6})(?=\s)/, (_, marks) => '#'.repeat(Math.min(6, marks.length + 2)))) : line;
  }).join('\n');
}

/** Many programs that show Markdown would run what it holds of HTML. */
const untagged = (line) => line.replace(/<(?=[a-z/!?])/gi, '\\<');
