/**
 * What is typed and not sent yet, with its images: {text, images}, frozen.
 */
export const draftOf = (text, images) => Object.freeze({ text, images: Object.freeze([...images]) });

export const emptyDraft = draftOf('', []);

export const isEmpty = ({ text, images }) => text === '' && images.length === 0;
