/**
 * What this is, what it is not, and under which terms.
 */
import { count } from './figures.js';

export const terms = {
  heading: 'About MedServer',
  paragraphs: [
    'MedServer serves Google’s MedGemma models on your own machine. What you type and the images you add go to the server at this address and nowhere else.',
    'MedGemma is for research and clinical decision support. It is not FDA-approved or CE-marked, it does not replace clinical judgement, and it is not for direct patient care without validation.',
    'Sessions, with their images, are kept in this browser on this device and nowhere else, until you delete them or wipe this device.',
  ],
  notice: 'HAI-DEF is provided under and subject to the Health AI Developer Foundations Terms of Use found at https://developers.google.com/health-ai-developer-foundations/terms',
};

/** Accepted once for each `version`: it changes when what is promised or warned of does. */
export const clinicalNotice = {
  version: '2026-11',
  heading: 'Before you begin',
  paragraphs: [
    'MedGemma is for research and clinical decision support. It is not FDA-approved or CE-marked, it does not replace clinical judgement, and it is not for direct patient care without validation.',
    'Its answers can be wrong, incomplete or invented, also where they sound certain. Check everything against the patient, the images and your own sources before you act on it.',
  ],
  accept: 'I understand',
};

export const welcome = {
  heading: 'Ask a question or add an image',
  does: {
    images: 'A medical language model on your own server. Ask it a question, or add one or more images and ask what they show.',
    text: 'A medical language model on your own server. This one reads text only.',
    demo: 'A tiny model that shows how this page works. It answers questions about MedServer and reads drawn phantom pictures, and nothing else.',
  },
  not: 'Not for emergencies, not for direct patient care without validation, and never the only reader of an image.',
  kept: 'Sessions are kept in this browser on this device only. On a shared device, delete them or wipe the device when you are done.',
  suggestions: 'Begin with one of these',
  withImages: (text, images) => `${text}, with ${count(images, 'image')}`,
  prompts: [
    'List the common causes of acute kidney injury, grouped as prerenal, renal and postrenal.',
    'What should be checked before starting metformin? Answer as a short table.',
    'Explain the difference between sensitivity and positive predictive value to a medical student.',
  ],
};
