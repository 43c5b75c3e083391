/**
 * The page around the conversation.
 */
export const page = {
  name: 'MedServer',
  skip: 'Skip to the message box',
  newSession: 'New session',
  download: 'Download conversation',
  about: 'About',
  close: 'Close',
  drop: 'Drop images to add them to your message',
  conversation: 'Conversation',
  model: 'Model',
  modelGone: (name) => `${name} (not offered now)`,
  standing: 'AI output. It needs validation by a qualified professional. Not FDA-approved or CE-marked.',
};

export const banner = {
  label: 'About this server',
  open: 'Open server: every device on this network can use it without being asked who it is.',
  demo: 'MedServer demo, not MedGemma: it knows nothing about medicine and is not for use with any patient.',
};

export const encryption = {
  chip: 'Not encrypted',
  meaning: 'This page came over http: others on this network could read along. Ask whoever runs this server for https.',
};
