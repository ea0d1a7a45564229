// The head of the page: what it is about, the large numbers, who holds what.
function showHead(data) {
  document.title = (data.host ? data.host + ': ' : '') + data.title + ' – ctr-prune';
  $('title').textContent = data.title;
  const kinds = { node: 'ctr-prune serve', df: 'ctr-prune: disk usage', plan: 'ctr-prune: plan, nothing was changed', report: 'ctr-prune: report of a run' };
  $('brand').textContent = kinds[data.kind];
  $('host').textContent = data.host || '';
  if (data.kind === 'report') {
    $('map-title').textContent = 'What was in the store, and what was removed';
  }
  for (const [key, value] of data.facts) {
    $('facts').append(el('div', {}, el('dt', { text: key }), el('dd', { class: 'name', text: times(value) })));
  }
  for (const card of data.cards) $('cards').append(cardOf(card));
  $('foot').textContent = 'Written by ctr-prune on ' + moment(data.generated) +
    '. Sizes are powers of 1000. This file is complete: it loads nothing and sends nothing. Treemap layout by d3-hierarchy (ISC licence, in the source).';
}

function cardOf(card) {
  const value = el('dd', { class: 'number', title: number.format(card.bytes) + ' bytes', text: size(card.bytes) });
  if (card.of) value.append(el('span', { class: 'part', text: percent(card.bytes, card.of) }));
  return el('div', { class: 'card ' + (card.tone || '') },
    el('dt', { text: card.label }), value, card.note && el('dd', { class: 'note', text: card.note }));
}

function statePart(state, share) {
  const part = svg('svg', { preserveAspectRatio: 'none' }, ...stateRects(state));
  part.style.width = (100 * share) + '%';
  return part;
}

// showHolders says what is held without an image, and by whom.
function showHolders(data) {
  const others = data.holders.filter((h) => h.key !== 'images' && h.bytes > 0);
  $('holders').append(...others.map((h) => el('li', { title: 'content ' + size(h.content) + ', snapshots ' + size(h.snapshot) },
    el('span', { text: h.label }), el('strong', { text: size(h.bytes) }))));
  $('without').hidden = others.length === 0;
}
