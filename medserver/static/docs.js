/**
 * The page of /docs: every route of openapi.json with what it takes, as plain headings and lists.
 */
import { Device } from './js/device.js';
import { routesOf } from './js/openapi.js';
import { putOn, themeFrom } from './js/settings/theme.js';
import { element } from './js/views/dom.js';
import { docs as words } from './js/words/other_pages.js';

putOn(themeFrom(new Device(() => localStorage).read('theme')), document);

const page = document.getElementById('routes');

function route({ method, path, says, fields }) {
  const rows = fields.map(({ name, type, required, says }) => element('tr', {},
    element('th', { scope: 'row' }, element('code', {}, name)),
    element('td', {}, [type, required ? words.required : null].filter(Boolean).join(', ')),
    element('td', {}, says ?? '')));
  const heads = words.heads.map((text) => element('th', { scope: 'col' }, text));
  return element('section', {},
    element('h2', {}, element('code', {}, `${method} ${path}`)),
    says ? element('p', {}, says) : null,
    rows.length > 0
      ? element('div', { class: 'fields', tabindex: '0', role: 'region', 'aria-label': words.fields(`${method} ${path}`) },
        element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...rows)))
      : null);
}

try {
  const response = await fetch('/openapi.json');
  page.append(...routesOf(await response.json()).map(route));
} catch {
  page.append(element('p', { role: 'alert' }, words.failed));
}
