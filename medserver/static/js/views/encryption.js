/**
 * A standing sign where the page came over http from another machine; opens into what that means.
 */
import * as words from '../words/index.js';
import { element } from './dom.js';
import { icon } from './icons.js';

/** `from` is {protocol, hostname} of the page; what stays on the machine needs no encryption. */
export const isExposed = ({ protocol, hostname }) => (
  protocol === 'http:' && hostname !== 'localhost' && hostname !== '[::1]' && !/^127(\.\d+){3}$/.test(hostname)
);

export class Encryption {
  constructor(from) {
    this.node = element(
      'details', { class: 'encryption', hidden: !isExposed(from) },
      element('summary', { class: 'encryption-chip' }, icon('warn'), element('span', { class: 'encryption-words' }, words.encryption.chip)),
      element('p', { class: 'encryption-meaning' }, words.encryption.meaning),
    );
  }
}
