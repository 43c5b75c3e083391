/**
 * Puts the parts of the page in their places and shows each its share of the state; decides nothing.
 *
 * One middle column now; sessions go to its left and the viewer or the settings to its right, as zones of the same grid.
 */
import { replying } from '../conversation.js';
import { problemsOf } from '../limits.js';
import { standingOf } from '../standing.js';
import * as words from '../words.js';
import { Announcer } from './announcer.js';
import { Band } from './band.js';
import { Banner } from './banner.js';
import { Composer } from './composer.js';
import { AboutDialog, ClearDialog } from './dialogs.js';
import { element } from './dom.js';
import { DropZone } from './drop_zone.js';
import { Header } from './header.js';
import { ScrollFollower } from './scroll.js';
import { Transcript } from './transcript.js';
import { Welcome } from './welcome.js';

export class Page {
  constructor(actions) {
    this.announcer = new Announcer();
    this.about = new AboutDialog();
    this.clear = new ClearDialog({ onConfirm: actions.onClear });
    this.header = new Header(actions);
    this.banner = new Banner();
    this.band = new Band();
    this.welcome = new Welcome(actions);
    this.transcript = new Transcript(actions);
    this.composer = new Composer(actions);
    this.dropZone = new DropZone(actions);
    this.#lay();
    this.scroll = new ScrollFollower(this.reading);
  }

  update(state, now) {
    const standing = standingOf(state);
    const [problem] = problemsOf(state.draft, state.turns, state.health);
    this.header.update(standing, state);
    this.banner.update(state.health);
    this.band.update(standing);
    this.welcome.update(state);
    this.transcript.update(state.turns, now);
    this.composer.update({ ...state, problem, replying: replying(state.turns), now });
    if (state.turns.length > 0) this.scroll.follow();
    else if (this.talking) this.scroll.toStart();
    this.talking = state.turns.length > 0;
  }

  #lay() {
    this.reading = element('div', { class: 'reading', tabindex: '0', role: 'region', 'aria-label': words.page.conversation },
      this.welcome.node, this.transcript.node);
    this.node = element(
      'div', { class: 'page' },
      element('a', { class: 'skip', href: '#prompt' }, words.page.skip),
      element('div', { class: 'page-top' }, this.header.node, this.banner.node, this.band.node),
      element('main', { class: 'page-middle' }, this.reading, this.composer.node),
      element(
        'footer', { class: 'page-foot' },
        element('p', {}, words.page.standing),
        element('button', { type: 'button', class: 'link-button', on: { click: () => this.about.open() } }, words.page.about),
      ),
      this.announcer.node, this.about.node, this.clear.node, this.dropZone.node,
    );
  }
}
