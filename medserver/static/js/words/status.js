/**
 * How the server stands.
 */
import { count, figures, oneDecimal } from './figures.js';

const STAGES = {
  checking: 'Checking the weights', download: 'Downloading the weights', starting: 'Starting', libraries: 'Loading the libraries',
  processor: 'Loading the processor', weights: 'Loading the weights', 'self-test': 'Checking itself',
};
const IN_BYTES = ['checking', 'download'];

function stageName(stage) {
  if (!stage) return 'Loading the model';
  return Object.hasOwn(STAGES, stage) ? STAGES[stage] : `Loading: ${stage.replaceAll('_', ' ')}`;
}

/** Bytes as the terminal says them: in powers of ten, in the unit that suits the whole. */
function share(done, total) {
  const [size, unit] = total >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB'];
  return `${oneDecimal.format(done / size)} of ${oneDecimal.format(total / size)} ${unit} (${Math.floor((100 * done) / total)} %)`;
}

/** `3.2 MB/s, about 4 minutes left`, or nothing while it is not known. */
function paceWords(pace) {
  if (!pace) return '';
  const left = pace.left >= 90 ? count(Math.ceil(pace.left / 60), 'minute') : count(Math.max(1, Math.ceil(pace.left)), 'second');
  return `, ${oneDecimal.format(pace.speed / 1e6)} MB/s, about ${left} left`;
}

export const status = {
  heading: 'Server status',
  memory: (name) => `Memory used of ${name}`,
  labels: {
    connecting: 'Connecting', ready: 'Ready', loading: 'Loading', restarting: 'Restarting', degraded: 'Degraded', failed: 'Not working',
    unreachable: 'Offline',
  },
  progress: ({ stage, done, total, pace = null }) => {
    if (total === null || total < 2) return `${stageName(stage)}.`;
    return `${stageName(stage)}, ${IN_BYTES.includes(stage) ? share(done, total) + paceWords(pace) : `${done} of ${total}`}.`;
  },
};

const STANDINGS = {
  connecting: () => null,
  ready: () => null,
  loading: ({ progress }) => ({ title: status.progress(progress), rest: 'You can write already and send when it is ready.' }),
  restarting: ({ why }) => ({ title: 'The engine is restarting.', rest: why ?? 'Your conversation is kept.' }),
  degraded: ({ why }) => ({ title: 'The server is working with limits.', rest: why ?? 'See the server status for details.' }),
  failed: ({ why }) => ({ title: 'The model is not working.', rest: why ?? 'See the log of the server.' }),
  unreachable: () => ({ title: 'The server cannot be reached.', rest: 'Trying again. What you have written is kept.' }),
};

/** The band under the header while something is to be said: {title, rest} or null. */
export function standing(about) {
  return STANDINGS[about.kind](about);
}

/** How fast an answer came: {ttft_ms, tokens_per_second}, either of which may be missing. */
export const timings = ({ ttft_ms: first, tokens_per_second: speed }) => [
  Number.isFinite(speed) ? `${figures.format(Math.round(speed))} tokens/s` : null,
  Number.isFinite(first) ? `first word after ${first < 1000 ? `${figures.format(Math.round(first))} ms` : `${oneDecimal.format(first / 1000)} s`}` : null,
].filter(Boolean).join(', ');

const DEVICES = { cpu: 'CPU', cuda: 'GPU', mps: 'GPU' };

/** {name, used} of a graphics card; `used` in words. */
export const vram = (gpu) => ({
  name: gpu.name,
  used: `${oneDecimal.format(gpu.vram_used_gb)} of ${oneDecimal.format(gpu.vram_total_gb)} GB`,
});

/** The rows of the status panel: [name, value]. `model` is what was chosen, null for the server's first; `last` the timings of the last answer. */
export function statusRows(health, model = null, last = null) {
  if (!health) return [];
  const engine = health.engine ?? {};
  const several = (health.models?.length ?? 0) > 1;
  const rows = [
    ['Model', several ? model ?? health.models[0] : health.model_name],
    ['About it', health.model_note],
    ['Reads', health.supports_images ? 'text and images' : 'text only'],
    ['Engine', [engine.name, engine.state].filter(Boolean).join(', ')],
    ['Weights', [engine.quantization ?? engine.dtype, DEVICES[engine.device] ? `on the ${DEVICES[engine.device]}` : null].filter(Boolean).join(' ')],
    ...(engine.tried ?? []).map(({ name, why }) => ['Not used', `${name}: ${why}`]),
    ['Restarts', engine.restarts > 0 ? figures.format(engine.restarts) : null],
    ['Reason', engine.why],
    ['Queue', health.queue ? `${figures.format(health.queue.active)} active, ${figures.format(health.queue.waiting)} waiting` : null],
    ['Last answer', last ? timings(last) : null],
    ['Context', Number.isFinite(health.max_model_len) ? count(health.max_model_len, 'token') : null],
    ['Version', health.version],
  ];
  return rows.filter(([, value]) => value);
}
