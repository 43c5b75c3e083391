/** Just enough of a document for the Markdown renderer: elements, text, growing, comparing, and a way to read the result. */
class FakeNode {
  parent = null;
  children = [];

  append(...nodes) {
    for (const node of nodes) {
      node.remove();
      node.parent = this;
      this.children.push(node);
    }
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
    this.parent = null;
  }

  get childNodes() {
    return this.children;
  }

  contains(node) {
    return node === this || this.children.some((child) => child.contains(node));
  }

  isEqualNode(other) {
    return this.shell() === other.shell() && this.children.length === other.children.length
      && this.children.every((child, index) => child.isEqualNode(other.children[index]));
  }

  replaceWith(node) {
    node.remove();
    node.parent = this.parent;
    this.parent.children = this.parent.children.map((child) => (child === this ? node : child));
    this.parent = null;
  }

  replaceChildren(...nodes) {
    for (const child of [...this.children]) child.remove();
    this.append(...nodes);
  }
}

class FakeText extends FakeNode {
  constructor(data) {
    super();
    if (typeof data !== 'string') throw new TypeError(`text must be a string, not ${data}`);
    this.textContent = data;
  }

  shell() {
    return this.show();
  }

  cloneNode() {
    return new FakeText(this.textContent);
  }

  show() {
    return JSON.stringify(this.textContent);
  }
}

class FakeElement extends FakeNode {
  attributes = {};

  constructor(tag) {
    super();
    this.tag = tag;
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }

  get dataset() {
    return { tex: this.attributes['data-tex'] };
  }

  shell() {
    return `${this.tag} ${JSON.stringify(this.attributes)}`;
  }

  cloneNode() {
    return Object.assign(new FakeElement(this.tag), { attributes: { ...this.attributes } });
  }

  get textContent() {
    return this.children.map((child) => child.textContent).join('');
  }

  /** `p("a", b("c"))`, with attributes in brackets. */
  show() {
    const attributes = Object.entries(this.attributes).map(([name, value]) => `[${name}=${value}]`).join('');
    return `${this.tag}${attributes}(${mergeTexts(this.children).map((child) => child.show()).join(', ')})`;
  }
}

function mergeTexts(nodes) {
  return nodes.reduce((merged, node) => {
    const last = merged.at(-1);
    if (node instanceof FakeText && last instanceof FakeText) merged[merged.length - 1] = new FakeText(last.textContent + node.textContent);
    else merged.push(node);
    return merged;
  }, []);
}

export const fakeDocument = {
  createElement: (tag) => new FakeElement(tag),
  createTextNode: (data) => new FakeText(data),
};

export function walk(node, visit) {
  visit(node);
  node.children.forEach((child) => walk(child, visit));
}
