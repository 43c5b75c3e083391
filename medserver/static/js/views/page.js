/**
 * Puts the parts of the page in their places and shows each its share of the state; decides nothing.
 *
 * Sessions stand to the left of the conversation, the viewer or the settings to its right, as zones of the same grid.
 */
import { contextUse } from '../context.js';
import { replying } from '../conversation.js';
import { problemsOf } from '../limits.js';
import { imagesIn } from '../request.js';
import { effectivePrompt } from '../settings/prompts.js';
import { standingOf } from '../standing.js';
import { troubleIn } from '../state.js';
import * as words from '../words/index.js';
import { Announcer } from './announcer.js';
import { Band } from './band.js';
import { Banner } from './banner.js';
import { ClinicalNotice } from './clinical_notice.js';
import { Composer } from './composer.js';
import { AboutDialog, ConfirmDialog, DownloadDialog } from './dialogs.js';
import { element } from './dom.js';
import { DropZone } from './drop_zone.js';
import { Header } from './header.js';
import { Keeping } from './keeping.js';
import { ScrollFollower } from './scroll.js';
import { SessionPanel } from './sessions/panel.js';
import { Settings } from './settings/settings.js';
import { Transcript } from './transcript.js';
import { Undo } from './undo.js';
import { LateViewer } from './viewer/late.js';
import { Welcome } from './welcome.js';

export class Page {
  constructor(actions) {
    this.announcer = new Announcer();
    this.about = new AboutDialog();
    this.leave = new ConfirmDialog({ id: 'leave', said: words.leaving, kind: 'primary' });
    this.wipe = new ConfirmDialog({ id: 'wipe', said: words.wiping, kind: 'stop' });
    this.downloading = new DownloadDialog({ onDownload: actions.onDownloadChosen });
    this.sessions = new SessionPanel({ ...actions, onWipe: () => this.wipe.open({ onConfirm: actions.onWipe }) }, actions.sessionsShown);
    this.forget = new ConfirmDialog({ id: 'forget', said: words.forgetting, kind: 'stop' });
    this.settings = new Settings({ ...actions, onForget: () => this.forget.open({ onConfirm: actions.onForget }) });
    this.clinicalNotice = new ClinicalNotice(actions);
    this.header = new Header({ ...actions, onSettings: () => this.#toggleSettings() }, this.sessions.toggle);
    this.keeping = new Keeping(actions);
    this.undo = new Undo(actions);
    this.banner = new Banner();
    this.band = new Band();
    this.welcome = new Welcome(actions);
    this.transcript = new Transcript(actions);
    this.composer = new Composer(actions);
    this.dropZone = new DropZone(actions);
    this.viewer = new LateViewer({ fallback: () => this.composer.focus(), onFailed: actions.onNoViewer });
    this.#lay();
  }

  update(state, now) {
    const standing = standingOf(state);
    const [problem] = problemsOf(state.draft, state.turns, state.health);
    this.header.update(standing, state);
    this.banner.update(state.health);
    this.band.update(standing);
    this.welcome.update(state);
    this.keeping.update(troubleIn(state));
    this.sessions.update(state, now);
    this.transcript.update(state, now);
    this.undo.update(state.undo);
    const hasImages = [...imagesIn(state.turns), ...state.draft.images].length > 0;
    const prompt = effectivePrompt(state.settings.system_prompt, state.serverPrompts, hasImages);
    this.composer.update({ ...state, problem, context: contextUse({ ...state, prompt }), replying: replying(state.turns), now });
    this.settings.update(state, hasImages);
    this.viewer.update(state);
    // What is being rewritten stays where it is.
    this.latest.hidden = state.turns.length === 0 || state.editing !== null;
    if (state.turns.length > 0 && !state.editing) this.scroll.follow();
    else if (state.turns.length === 0 && this.talking) this.scroll.toStart();
    this.talking = state.turns.length > 0;
  }

  openImage(id, opener) {
    this.settings.close();
    this.viewer.open(id, opener);
  }

  /** There is one place at the end of the page. */
  #toggleSettings() {
    this.viewer.close();
    this.settings.toggle();
  }

  #lay() {
    this.reading = element('div', { class: 'reading', tabindex: '0', role: 'region', 'aria-label': words.page.conversation },
      this.welcome.node, this.transcript.node);
    this.scroll = new ScrollFollower(this.reading);
    this.latest = element('div', { class: 'page-latest' }, this.scroll.latest);
    const [dock, lightbox] = this.viewer.places;
    this.node = element(
      'div', { class: 'page' },
      element('a', { class: 'skip', href: '#prompt' }, words.page.skip),
      element('div', { class: 'page-top' }, this.header.node, this.banner.node, this.band.node, this.keeping.node),
      this.sessions.zone,
      element('main', { class: 'page-middle' }, this.reading, element('div', { class: 'page-fade' }), this.latest,
        element('div', { class: 'page-write' }, this.undo.node, this.composer.node)),
      dock,
      this.settings.node,
      element(
        'footer', { class: 'page-foot' },
        element('p', {}, words.page.standing),
        element('button', { type: 'button', class: 'link-button', on: { click: () => this.about.open() } }, words.page.about),
      ),
      this.announcer.node, this.about.node, this.leave.node, this.wipe.node, this.forget.node, this.downloading.node, this.clinicalNotice.node, this.sessions.sheet, this.dropZone.node, lightbox,
    );
  }
}
