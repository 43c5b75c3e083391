/**
 * What is downloaded.
 */
export const file = {
  title: 'AI-generated, not verified by a clinician',
  conversation: 'MedServer conversation',
  answer: 'MedServer answer',
  contents: 'Contents',
  saved: 'Saved',
  thought: 'Thinking',
  unfinished: { tone: 'warn', title: 'Saved before the answer had ended.', rest: 'It is incomplete.' },
};

export const downloading = {
  heading: 'Download',
  what: 'What',
  scopes: { conversation: 'The whole conversation', answer: 'The last answer' },
  format: 'As',
  formats: { markdown: 'Markdown', page: 'HTML page for printing' },
  thinking: 'Include the model’s thinking',
  download: 'Download',
  cancel: 'Cancel',
};
