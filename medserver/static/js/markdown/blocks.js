/**
 * Cuts growing Markdown into pieces that later text can no longer change, and one piece still open; knows no tokens and no DOM.
 *
 * The cuts depend on the text alone, never on how it arrived, so a streamed answer and the same answer at once give the same pieces.
 * A piece ends at a blank line when the next line starts at the margin, outside a fence, and does not carry a list on.
 */
const LIST_MARKER = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/;
const PERHAPS_A_MARKER = /^(?:[-*+]|\d{1,9}[.)]?)$/;
const FENCE = /^([ \t]*)(`{3,}|~{3,})(.*)$/;

export class BlockCutter {
  closed = [];
  open = '';
  #line = 0; // where the line being read begins, within `open`
  #afterBlank = false;
  #inList = false;
  #fence = null;

  push(text) {
    this.open += text.replaceAll('\r', '');
    for (;;) {
      const end = this.open.indexOf('\n', this.#line);
      if (this.#startsNewPiece(end)) {
        this.#cut();
        continue;
      }
      if (end < 0) return;
      this.#read(this.open.slice(this.#line, end));
      this.#line = end + 1;
    }
  }

  #startsNewPiece(end) {
    if (!this.#afterBlank || this.#fence) return false;
    const start = this.open.slice(this.#line, end < 0 ? this.#line + 12 : end);
    if (!/^\S/.test(start)) return false;
    if (!this.#inList) return true;
    if (end < 0 && PERHAPS_A_MARKER.test(start)) return false;
    return !LIST_MARKER.test(start);
  }

  #cut() {
    this.closed.push(this.open.slice(0, this.#line));
    this.open = this.open.slice(this.#line);
    this.#line = 0;
    this.#afterBlank = false;
    this.#inList = false;
  }

  #read(line) {
    this.#afterBlank = line.trim() === '';
    if (!this.#fence && LIST_MARKER.test(line)) this.#inList = true;
    const mark = FENCE.exec(line);
    if (mark) this.#readFence(mark);
  }

  #readFence([, indent, marks, rest]) {
    if (this.#fence) {
      const closes = marks[0] === this.#fence[0] && marks.length >= this.#fence.length && rest.trim() === '';
      if (closes) this.#fence = null;
      return;
    }
    const indentedCode = !this.#inList && (indent.length > 3 || indent.includes('\t'));
    const inlineCode = marks[0] === '`' && rest.includes('`');
    if (!indentedCode && !inlineCode) this.#fence = marks;
  }
}
