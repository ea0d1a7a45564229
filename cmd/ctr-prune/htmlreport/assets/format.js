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
  return Number.isNaN(d.getTime()) ? '' : local(d).slice(0, 10);
}

// local is a time in the zone of the reader, without its offset.
const local = (date) => new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 19);

// moment shows a time as the command does: in the reader's zone, with the offset.
function moment(time) {
  const date = new Date(time);
  const offset = -date.getTimezoneOffset();
  const part = (minutes) => String(Math.floor(minutes)).padStart(2, '0');
  const zone = offset ? (offset < 0 ? '-' : '+') + part(Math.abs(offset) / 60) + ':' + part(Math.abs(offset) % 60) : 'Z';
  return local(date) + zone;
}

// times is a sentence with its times as moment has them.
const times = (text) => text.replace(/(^|[ (])(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)(?=$|[ ),;.:])/g, (_, before, time) => before + moment(time));

// rough is how long something took, in one unit, as the command says it.
function rough(seconds) {
  for (const [length, from, smaller, sign] of [[31536000, 63072000, 86400, 'y'], [86400, 172800, 3600, 'd'], [3600, 7200, 60, 'h'], [60, 120, 1, 'm']]) {
    if (Math.round(seconds / smaller) * smaller >= from) return Math.round(seconds / length) + sign;
  }
  if (seconds > 0 && seconds < 1) return Math.round(seconds * 1000) + 'ms';
  return Math.max(0, Math.round(seconds)) + 's';
}

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
