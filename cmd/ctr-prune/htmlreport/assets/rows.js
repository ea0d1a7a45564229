// The rows of the decision table: what is searched, how it is ordered.
function readRows(data) {
  return data.rows.map((raw, at) => {
    const image = raw.i >= 0 ? data.images[raw.i] : null;
    const target = image ? image.t : raw.t || '';
    const whole = (name) => name.replaceAll('\u0001', target);
    const names = image && image.n || [];
    const row = {
      at, raw, image, target, space: raw.s, action: raw.a, reason: data.strings[raw.r],
      details: (raw.d || []).map((i) => data.strings[i]),
      name: whole(raw.n || names[0] || ''), names: names.slice(1).map(whole),
    };
    row.text = [row.name, ...row.names, data.spaces[row.space], row.reason, ...row.details, row.target].join('\n').toLowerCase();
    return row;
  });
}

const ACTIONS = ['remove', 'stand-in', 'skipped', 'keep'];
const bytesOf = (key) => (row) => (row.image ? row.image[key] || 0 : -1);

// COLUMNS: what a column is called, what it sorts by, and which way first.
const COLUMNS = [
  { key: 'name', label: 'Image', by: (row) => row.name },
  { key: 'space', label: 'Namespace', by: (row) => row.spaceName },
  { key: 'action', label: 'Decision', by: (row) => ACTIONS.indexOf(row.action) },
  { key: 'size', label: 'Size', num: true, sized: true, field: 'b', by: bytesOf('b'), hint: 'all that the image has, shared or not' },
  { key: 'unique', label: 'Unique', num: true, sized: true, field: 'u', by: bytesOf('u'), hint: 'what removing this image alone would free' },
  { key: 'frees', label: 'Frees', num: true, sized: true, by: (row) => row.raw.f || 0, hint: 'what this name adds to what is freed: the column adds up to that' },
  { key: 'created', label: 'Created', sized: true, num: true, by: bytesOf('c') },
  { key: 'used', label: 'Used', sized: true, num: true, by: bytesOf('l'), hint: 'the last use that is known' },
  { key: 'reason', label: 'Reason', by: (row) => row.reason },
];

function compare(a, b) {
  if (typeof a === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return a - b;
}

// arrange returns the rows that pass, in order. Rows that are equal keep the
// order in which the command lists them.
function arrange(rows, view) {
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => (view.action === '' || row.action === view.action) &&
    (view.space < 0 || row.space === view.space) && words.every((word) => row.text.includes(word)));
  const by = COLUMNS.find((column) => column.key === view.sort).by;
  const sign = view.down ? -1 : 1;
  return found.sort((a, b) => sign * compare(by(a), by(b)) || a.at - b.at);
}
