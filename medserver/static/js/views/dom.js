/**
 * Makes elements and keeps their text and attributes as told, touching only what differs; knows nothing of this page.
 */
export function element(tag, { on = {}, ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  setAttributes(node, attributes);
  for (const [type, listener] of Object.entries(on)) node.addEventListener(type, listener);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** `null` and `false` take an attribute away, `true` sets it empty. */
export function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value === true ? '' : value)) node.setAttribute(name, value === true ? '' : value);
  }
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Keeps one view for each item, in the order of the items: `make` builds a view with a `node`, `update` shows the item in it.
 */
export class ViewList {
  #views = new Map();

  constructor(container, make) {
    Object.assign(this, { container, make });
  }

  update(items, show) {
    const kept = new Set(items.map((item) => item.id));
    for (const [id, view] of this.#views) {
      if (kept.has(id)) continue;
      // Where two lists share their views it may stand in the other one by now.
      if (view.node.parentNode === this.container) view.node.remove();
      this.#views.delete(id);
    }
    items.forEach((item, index) => {
      if (!this.#views.has(item.id)) this.#views.set(item.id, this.make(item));
      const view = this.#views.get(item.id);
      if (this.container.children[index] !== view.node) this.container.insertBefore(view.node, this.container.children[index] ?? null);
      show(view, item, index);
    });
  }
}
