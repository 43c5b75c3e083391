/**
 * The prompts and pictures a demo model brings along; knows where the server keeps them and nothing of the page.
 *
 * A sample: {text, images: [address, …]}, as GET /api/samples lists them.
 */
export async function loadSamples(fetch) {
  try {
    const response = await fetch('/api/samples');
    const { prompts } = await response.json();
    return Array.isArray(prompts) ? prompts : [];
  } catch {
    return [];
  }
}

/** The pictures of a sample as files, as if somebody had chosen them. Rejects if one cannot be had. */
export function filesOf(sample, fetch) {
  return Promise.all(sample.images.map(async (address) => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${response.status}`);
    const blob = await response.blob();
    return new File([blob], address.slice(address.lastIndexOf('/') + 1), { type: blob.type });
  }));
}
