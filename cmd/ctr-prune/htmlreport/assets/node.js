// How a resident of a node is: what it does, its disks with their marks, its last runs.
function showNode(node, data) {
  $('node').hidden = !node;
  if (!node) return;
  const ago = node.read ? ' The store was read ' + rough((new Date(node.time) - new Date(node.read)) / 1000) + ' before.' : '';
  const why = times(node.why);
  $('brand').textContent = 'ctr-prune serve';
  $('node-why').textContent = capital(why) + '.' + (node.dryRun ? ' It is a dry run: nothing is removed.' : '');
  $('node-time').textContent = 'As of ' + moment(node.time) + '.' + ago + (node.nextRun && !node.why.startsWith('idle until') ? ' The next run begins at ' + moment(node.nextRun) + '.' : '');
  for (const problem of node.problems || []) $('messages').append(el('div', { class: 'message warning' }, el('p', { class: 'name', text: problem })));
  $('messages').hidden = $('messages').childElementCount === 0;
  for (const disk of node.disks) $('disks').append(diskOf(disk));
  $('runs-section').hidden = node.runs.length === 0;
  if (node.runs.length > 0) $('runs').append(runsTable(node.runs));
  if (!data.rows.length && !data.tree) $('decisions').hidden = true;
}

// diskOf is a bar of a disk with a line at each mark.
function diskOf(disk) {
  const title = el('p', {}, el('span', { class: 'name', text: disk.name }));
  if (disk.unseen) return el('li', {}, title, el('p', { class: 'hint name', text: disk.unseen }));
  title.append(el('strong', { text: disk.used + '\u00a0%' }), el('span', { class: 'soft', text: size(disk.available) + ' of ' + size(disk.capacity) + ' available' + (disk.inodes ? ', ' + disk.inodes + '\u00a0% of inodes' : '') }));
  const bar = svg('svg', { class: 'disk', role: 'img', 'aria-label': disk.used + ' percent in use', viewBox: '0 0 100 10', preserveAspectRatio: 'none' },
    svg('rect', { class: 'empty', width: 100, height: 10 }), svg('rect', { class: disk.full ? 's-goes' : 's-used', width: disk.used, height: 10 }));
  const marks = [];
  for (const [mark, word] of [['low', 'low'], ['high', 'high'], ['critical', 'critical']]) {
    if (!disk[mark]) continue;
    bar.append(svg('path', { class: 'mark', d: 'M' + disk[mark] + ',0v10' }));
    marks.push(word + ' ' + disk[mark] + '\u00a0%');
  }
  const note = (marks.length ? 'Marks: ' + marks.join(', ') + '.' : 'No marks.') + (disk.full ? ' Images go until the low mark is reached.' : '');
  return el('li', {}, title, bar, el('p', { class: 'hint', text: note }));
}

function runsTable(runs) {
  const head = ['Run', 'Begun', 'Trigger', 'Result', 'Took', 'Removed', 'Freed'];
  const body = el('tbody', {});
  for (const run of runs) {
    const cells = [moment(run.started), run.trigger, run.result, rough(run.took / 1e9), number.format(run.removed), size(run.bytes)];
    const row = el('tr', {}, el('th', { scope: 'row' }, el('span', { class: 'name', text: run.name }), run.error && el('p', { class: 'hint name', text: run.error })));
    cells.forEach((text, i) => row.append(el('td', { 'data-label': head[i + 1], class: i > 2 ? 'num' : '', text })));
    body.append(row);
  }
  return el('table', {}, el('caption', { class: 'unseen', text: 'The last runs' }),
    el('thead', {}, el('tr', {}, ...head.map((text, i) => el('th', { scope: 'col', class: i > 3 ? 'num' : '', text })))), body);
}
