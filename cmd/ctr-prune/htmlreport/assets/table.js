// The decision table: a page of rows at a time, so that a large store is as
// quick as a small one. Printing shows more.
const PAGE = 100;
const PRINTED = 1000;
const table = { rows: [], found: [], page: 0, view: { search: '', action: '', space: -1, sort: 'unique', down: true }, open: new Set() };

function openTable(data, byImage) {
  Object.assign(table, { data, byImage, rows: readRows(data) });
  for (const row of table.rows) row.spaceName = data.spaces[row.space];
  const used = new Set(table.rows.map((row) => row.space));
  const sized = data.images.length > 0;
  table.columns = COLUMNS.filter((c) => (sized || !c.sized) && (c.key !== 'space' || used.size > 1) && (c.key !== 'used' || data.images.some((image) => image.l)));
  if (data.kind !== 'df' || !sized) Object.assign(table.view, { sort: 'action', down: false });
  if (data.kind !== 'df') table.rows.sort((a, b) => bytesOf('u')(b) - bytesOf('u')(a) || a.at - b.at).forEach((row, i) => { row.at = i; });
  openFilters(used);
  window.addEventListener('beforeprint', () => drawRows(PRINTED));
  window.addEventListener('afterprint', () => drawRows(PAGE));
  update();
}

function openFilters(used) {
  const { data, view } = table;
  const counts = {};
  for (const row of table.rows) counts[row.action] = (counts[row.action] || 0) + 1;
  const choice = (action, word, n) => el('button', {
    type: 'button', 'data-action': action, text: word + ' ' + number.format(n),
    onclick: () => { view.action = action; update(); },
  });
  $('actions').append(choice('', 'All', table.rows.length));
  for (const action of ACTIONS) if (counts[action]) $('actions').append(choice(action, capital(actionWord(action, data.kind)), counts[action]));
  $('space').append(el('option', { value: -1, text: 'all' }));
  for (const space of used) $('space').append(el('option', { value: space, text: data.spaces[space] }));
  $('space-field').hidden = used.size < 2;
  $('space').addEventListener('change', () => { view.space = Number($('space').value); update(); });
  $('search').addEventListener('input', () => { view.search = $('search').value; update(); });
  for (const column of table.columns) $('sort').append(el('option', { value: column.key, text: column.label }));
  $('sort').addEventListener('change', () => sortBy(table.columns.find((column) => column.key === $('sort').value)));
  $('filters').addEventListener('submit', (event) => event.preventDefault());
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

// update shows the first page of what passes the filters.
function update() {
  table.found = arrange(table.rows, table.view);
  table.page = 0;
  $('sort').value = table.view.sort;
  for (const button of $('actions').children) button.setAttribute('aria-pressed', String(button.dataset.action === table.view.action));
  const what = table.data.kind === 'df' ? 'image' : 'record';
  $('count').textContent = table.found.length === table.rows.length ? plural(table.rows.length, what)
    : number.format(table.found.length) + ' of ' + plural(table.rows.length, what);
  drawRows(PAGE);
}

function drawRows(most) {
  const first = most === PAGE ? table.page * PAGE : 0;
  const body = el('tbody', {});
  for (const row of table.found.slice(first, first + most)) body.append(drawRow(row));
  if (table.found.length === 0) body.append(el('tr', {}, el('td', { colspan: table.columns.length, class: 'hint', text: 'Nothing matches.' })));
  $('rows').replaceChildren(el('caption', { class: 'unseen', text: 'Images, and what was decided about each and why' }), drawHead(), body);
  $('printed').textContent = table.found.length > PRINTED ? 'The first ' + number.format(PRINTED) + ' of ' + number.format(table.found.length) + ' rows are printed.' : '';
  drawPager();
}

function drawHead() {
  const head = el('tr', {});
  for (const column of table.columns) {
    const sorted = table.view.sort === column.key ? (table.view.down ? 'descending' : 'ascending') : 'none';
    head.append(el('th', { scope: 'col', class: column.num ? 'num' : '', 'aria-sort': sorted, title: column.hint },
      el('button', { type: 'button', text: column.label, onclick: () => sortBy(column) })));
  }
  return el('thead', {}, head);
}

function sortBy(column) {
  const { view } = table;
  view.down = view.sort === column.key ? !view.down : Boolean(column.num);
  view.sort = column.key;
  update();
  if (document.activeElement === $('sort')) return; // the head is not shown then
  const at = table.columns.indexOf(column);
  $('rows').querySelectorAll('thead button')[at].focus();
}

function drawPager() {
  const pages = Math.ceil(table.found.length / PAGE);
  $('pager').hidden = pages < 2;
  const step = (text, by) => el('button', {
    type: 'button', text, disabled: table.page + by < 0 || table.page + by >= pages,
    onclick: () => { table.page += by; drawRows(PAGE); $('decisions').scrollIntoView(); },
  });
  $('pager').replaceChildren(step('Previous', -1), el('span', { text: 'Page ' + (table.page + 1) + ' of ' + number.format(pages) }), step('Next', 1));
}

function drawRow(row) {
  const tr = el('tr', {});
  for (const column of table.columns) tr.append(cell(row, column));
  return tr;
}

// cell is one of a row. On a narrow screen a row is a card, in which it says what it is.
function cell(row, column) {
  const label = { 'data-label': column.label };
  if (column.key === 'name') return nameCell(row);
  if (column.key === 'space') return el('td', { ...label, class: 'name', text: row.spaceName });
  if (column.key === 'action') return el('td', label, el('span', { class: 'action ' + row.action }, actionMark(row.action), el('span', { text: actionWord(row.action, table.data.kind) })));
  if (column.key === 'reason') return el('td', { ...label, class: 'reason', text: row.reason });
  if (!row.image) return el('td', { ...label, class: 'num zero', text: '–' });
  if (column.key === 'created') return el('td', { ...label, class: 'num', text: day(row.image.c) });
  if (column.key === 'used') return el('td', { ...label, class: 'num', text: day(row.image.l) });
  if (column.key === 'frees') return bytesCell(row.raw.f || 0, column.label);
  return bytesCell(row.image[column.field] || 0, column.label);
}

// actionMark is a shape for each decision: colour alone tells nothing.
function actionMark(action) {
  const shapes = { remove: 'M2,2 L10,10 M10,2 L2,10', keep: 'M1.5,6.5 L4.5,9.5 L10.5,2.5', skipped: 'M1.5,6 H10.5', 'stand-in': 'M1.5,6 H10.5 M7,2.5 L10.5,6 L7,9.5' };
  return svg('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true' },
    svg('path', { d: shapes[action] || shapes.keep, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8, 'stroke-linecap': 'round' }));
}

function nameCell(row) {
  const open = table.open.has(row.at);
  const tools = el('div', { class: 'row-tools' },
    el('button', { type: 'button', class: 'link', 'aria-expanded': String(open), text: open ? 'less' : row.names.length ? plural(row.names.length, 'more name') : 'details', onclick: (event) => toggle(row, event.target) }));
  const place = row.image && table.byImage[row.raw.i];
  if (place) tools.append(el('button', { type: 'button', class: 'link', text: 'on the map', onclick: () => { showParts(false); go(place, true); $('map-section').scrollIntoView(); } }));
  const th = el('th', { scope: 'row' }, el('div', { class: 'line' }, el('span', { class: 'name', title: row.name, text: brief(row.name) }), tools));
  if (open) th.append(moreOf(row));
  return th;
}

// brief shortens digests as docker does; the details have them whole.
function brief(name) {
  return name.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
}

function toggle(row, button) {
  if (!table.open.delete(row.at)) table.open.add(row.at);
  const fresh = drawRow(row);
  button.closest('tr').replaceWith(fresh);
  fresh.querySelector('.row-tools button').focus();
}

function moreOf(row) {
  const list = el('ul', { class: 'more' });
  if (brief(row.name) !== row.name) list.append(el('li', { text: row.name }));
  for (const name of row.names) list.append(el('li', { text: name }));
  for (const detail of row.details) list.append(el('li', { text: detail }));
  list.append(el('li', { class: 'mono', text: row.target }));
  if (row.image) list.append(el('li', { text: size(row.image.b) + ': ' + size(row.image.u) + ' unique, ' + size(row.image.h) + ' shared' }));
  return list;
}
