/**
 * The looks of the page: which there are, and how one is put on. The colours themselves are in css/tokens.css.
 */
export const THEMES = Object.freeze(['dark', 'light', 'contrast']);
const GROUNDS = { dark: '#09090b', light: '#f7f7f8', contrast: '#000000' };

/** Dark unless one that exists was kept. */
export const themeFrom = (kept) => (THEMES.includes(kept) ? kept : 'dark');

/** `page` is the document; the browser's own frame and its form controls follow. */
export function putOn(theme, page) {
  page.documentElement.dataset.theme = theme;
  page.querySelector('meta[name="theme-color"]').content = GROUNDS[theme];
  page.querySelector('meta[name="color-scheme"]').content = theme === 'light' ? 'light' : 'dark';
}
