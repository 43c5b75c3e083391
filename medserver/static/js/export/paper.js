/**
 * A document that only writes itself down: what is made of it as elements and text comes out as escaped HTML. Enough of the DOM for the
 * Markdown renderer; knows nothing of what is written.
 */
const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const VOID = ['hr', 'br', 'meta', 'input'];

export const escaped = (text) => String(text).replace(/[&<>"']/g, (character) => ESCAPES[character]);

class Words {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return escaped(this.text);
  }
}

class Element {
  #attributes = [];
  #children = [];

  constructor(tag) {
    this.tag = tag;
  }

  append(...children) {
    this.#children.push(...children.map((child) => (typeof child === 'string' ? new Words(child) : child)));
  }

  setAttribute(name, value) {
    this.#attributes.push([name, value]);
  }

  toString() {
    const attributes = this.#attributes.map(([name, value]) => ` ${name}="${escaped(value)}"`).join('');
    return VOID.includes(this.tag) ? `<${this.tag}${attributes}>` : `<${this.tag}${attributes}>${this.#children.join('')}</${this.tag}>`;
  }
}

export const paper = Object.freeze({
  createElement: (tag) => new Element(tag),
  createTextNode: (text) => new Words(text),
});
