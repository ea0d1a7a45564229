// Words and numbers. Sizes are those of docker and of the command: powers of
// 1000, four digits.
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

function size(bytes) {
  let unit = 0;
  while (bytes >= 1000 && unit < UNITS.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return String(Number(bytes.toPrecision(4))) + UNITS[unit];
}

const number = new Intl.NumberFormat('en-US');

function plural(n, word) {
  return number.format(n) + ' ' + word + (n === 1 ? '' : 's');
}

function percent(part, whole) {
  if (!(whole > 0) || !(part > 0)) return '0\u00a0%';
  const p = 100 * part / whole;
  if (p < 0.1) return '<\u00a00.1\u00a0%';
  return (p < 10 ? p.toFixed(1) : p.toFixed(0)) + '\u00a0%';
}

function day(seconds) {
  if (!seconds) return '';
  const d = new Date(seconds * 1000);
  return Number.isNaN(d.getTime()) ? '' : d.toISOString().slice(0, 10);
}

const days = (seconds) => (seconds < 172800 ? plural(Math.max(0, Math.round(seconds / 3600)), 'hour') : plural(Math.round(seconds / 86400), 'day'));

// The states of an object, by the numbers of the data.
const STATES = [
  { key: 'used', label: 'In use', hint: 'of an image that a container uses, or written by a container' },
  { key: 'kept', label: 'Kept', hint: 'of an image that stays, although no container uses it' },
  { key: 'held', label: 'Held', hint: 'no image that stays has it, but something else holds it' },
  { key: 'goes', label: 'Reclaimable', hint: 'a prune of all unused images frees it', hatched: true },
  { key: 'garbage', label: 'Garbage', hint: 'nothing holds it' },
  { key: 'elsewhere', label: 'Not chosen', hint: 'of namespaces that were not looked at' },
];
const noSums = () => STATES.map(() => 0);
const KINDS = ['content', 'index', 'manifest', 'config', 'layer', 'snapshot'];

// wordStates makes the states speak of what the page is about.
function wordStates(kind) {
  if (kind === 'plan') Object.assign(STATES[3], { label: 'Goes', hint: 'the prune would free it' });
  if (kind === 'report') Object.assign(STATES[3], { label: 'Reclaimed', hint: 'the prune freed it' });
}

function actionWord(action, kind) {
  const words = { remove: { df: 'unused', plan: 'goes', report: 'removed' }[kind], keep: 'stays' };
  return words[action] || action;
}
