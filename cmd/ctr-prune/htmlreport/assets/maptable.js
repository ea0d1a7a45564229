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
  for (const state of STATES) head.append(el('th', { scope: 'col', class: 'num', title: state.hint, text: state.label }));
  const body = el('tbody', {});
  for (const child of node.children.slice(0, PARTS)) body.append(partRow(child, node));
  const rest = node.children.length - PARTS;
  if (rest > 0) body.append(el('tr', {}, el('td', { colspan: 9, class: 'hint', text: '… and ' + plural(rest, 'smaller part') })));
  $('parts').replaceChildren(el('table', {}, el('caption', { class: 'unseen', text: 'Parts of ' + describe(node) }), el('thead', {}, head), body));
}

function partRow(child, node) {
  const name = child.children.length > 0
    ? el('button', { type: 'button', class: 'link name', text: nameOf(child), onclick: () => { go(child, false); $('parts').querySelector('button')?.focus(); } })
    : el('span', { class: 'name', text: nameOf(child) });
  const row = el('tr', {}, el('th', { scope: 'row' }, name), numberCell(child.images, child.images ? number.format(child.images) : ''),
    bytesCell(child.total), el('td', { class: 'num', text: percent(child.total, node.total) }));
  for (const bytes of child.sums) row.append(bytesCell(bytes));
  return row;
}

function numberCell(n, text) {
  return el('td', { class: n > 0 ? 'num' : 'num zero', text });
}

function bytesCell(bytes) {
  return el('td', { class: bytes > 0 ? 'num' : 'num zero', title: number.format(bytes) + ' bytes', text: size(bytes) });
}
