// The head of the page: what it is about, the large numbers, who holds what.
function showHead(data) {
  document.title = (data.host ? data.host + ': ' : '') + data.title + ' – ctr-prune';
  $('title').textContent = data.title;
  const kinds = { df: 'ctr-prune: disk usage', plan: 'ctr-prune: plan, nothing was changed', report: 'ctr-prune: report of a run' };
  $('brand').textContent = kinds[data.kind];
  $('host').textContent = data.host || '';
  if (data.kind === 'report') {
    $('holders-title').textContent = 'Held by, before the run';
    $('map-title').textContent = 'What was in the store, and what was removed';
  }
  for (const [key, value] of data.facts) {
    $('facts').append(el('div', {}, el('dt', { text: key }), el('dd', { class: 'name', text: value })));
  }
  for (const card of data.cards) $('cards').append(cardOf(card));
  $('foot').textContent = 'Written by ctr-prune on ' + data.generated.replace('T', ' ').replace(/\.\d+/, '').replace('Z', ' UTC') +
    '. Sizes are powers of 1000. This file is complete: it loads nothing and sends nothing. Treemap layout by d3-hierarchy (ISC licence, in the source).';
}

function cardOf(card) {
  const value = el('dd', { class: 'number', title: number.format(card.bytes) + ' bytes', text: size(card.bytes) });
  if (card.of) value.append(el('span', { class: 'part', text: percent(card.bytes, card.of) }));
  return el('div', { class: 'card ' + (card.tone || '') },
    el('dt', { text: card.label }), value, card.note && el('dd', { class: 'note', text: card.note }));
}

function showHolders(data) {
  const total = data.holders.reduce((sum, h) => sum + h.bytes, 0);
  $('holders-section').hidden = total === 0;
  for (const holder of data.holders) {
    if (holder.bytes > 0) $('holders-bar').append(holderPart(holder, total));
    const mark = svg('svg', { class: 'swatch', 'aria-hidden': 'true' }, ...holderRects(holder.key));
    $('holders').append(el('li', { class: holder.bytes > 0 ? '' : 'none', title: 'content ' + size(holder.content) + ', snapshots ' + size(holder.snapshot) },
      mark, el('span', { text: holder.label }), el('strong', { text: size(holder.bytes) }),
      holder.bytes > 0 && el('span', { class: 'soft', text: percent(holder.bytes, total) })));
  }
}

// The pattern of a class of holders is that of the state it resembles.
const HOLDER_PATTERN = { containers: 'shared', grace: 'held', leases: 'held', ingests: 'reclaimable', labels: 'reclaimable', nothing: 'garbage' };

function holderRects(key) {
  const box = { width: '100%', height: '100%' };
  const pattern = HOLDER_PATTERN[key];
  return [svg('rect', { class: 'h-' + key, ...box }), pattern && svg('rect', { fill: 'url(#p-' + pattern + ')', ...box })];
}

function holderPart(holder, total) {
  const part = svg('svg', { preserveAspectRatio: 'none' }, ...holderRects(holder.key));
  part.style.width = (100 * holder.bytes / total) + '%';
  return part;
}
