// The same parts as a table: for a screen reader, for a narrow screen, and
// for who prefers numbers.
const PARTS = 200;

function showParts(asTable) {
  $('as-map').setAttribute('aria-pressed', String(!asTable));
  $('as-table').setAttribute('aria-pressed', String(asTable));
  for (const id of ['map', 'inspect', 'map-help']) $(id).hidden = asTable;
  $('parts').hidden = !asTable;
  if (asTable) drawParts();
  else {
    map.width = 0;
    drawMap();
  }
}

function drawParts() {
  if ($('parts').hidden) return;
  const node = map.current;
  const head = el('tr', {}, el('th', { scope: 'col', text: 'Part' }), el('th', { scope: 'col', class: 'num', text: 'Images' }),
    el('th', { scope: 'col', class: 'num', text: 'Size' }), el('th', { scope: 'col', class: 'num', text: 'Share' }));
  const states = STATES.map((state, i) => i).filter((i) => node.sums[i] > 0);
  for (const state of states.map((i) => STATES[i])) head.append(el('th', { scope: 'col', class: 'num', title: state.hint, text: state.label }));
  const body = el('tbody', {});
  for (const child of node.children.slice(0, PARTS)) body.append(partRow(child, node, states));
  const rest = node.children.length - PARTS;
  if (rest > 0) body.append(el('tr', {}, el('td', { colspan: 4 + states.length, class: 'hint', text: '… and ' + plural(rest, 'smaller part') })));
  $('parts').replaceChildren(el('table', {}, el('caption', { class: 'unseen', text: 'Parts of ' + describe(node) }), el('thead', {}, head), body));
}

function partRow(child, node, states) {
  const name = child.children.length > 0
    ? el('button', { type: 'button', class: 'link name', text: nameOf(child), onclick: () => { go(child, false); $('parts').querySelector('button')?.focus(); } })
    : el('span', { class: 'name', text: nameOf(child) });
  const row = el('tr', {}, el('th', { scope: 'row' }, name), numberCell(child.images, child.images ? number.format(child.images) : '', 'Images'),
    bytesCell(child.total, 'Size'), el('td', { 'data-label': 'Share', class: 'num', text: percent(child.total, node.total) }));
  for (const i of states) row.append(bytesCell(child.sums[i], STATES[i].label));
  return row;
}

function numberCell(n, text, label) {
  return el('td', { 'data-label': label, class: n > 0 ? 'num' : 'num zero', text });
}

function bytesCell(bytes, label) {
  return el('td', { 'data-label': label, class: bytes > 0 ? 'num' : 'num zero', title: number.format(bytes) + ' bytes', text: size(bytes) });
}
