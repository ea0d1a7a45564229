// The map: one part of the tree at a time, with its parts as tiles.
const map = { current: null, root: null, tiles: new Map(), listeners: [] };

function openMap(root, generated) {
  map.generated = generated;
  map.root = root;
  map.current = root;
  // One namespace alone is no choice to make.
  if (root.children.length === 1 && root.children[0].children.length > 0) map.current = root.children[0];
  const host = $('map');
  host.addEventListener('click', (event) => clickTile(event.target));
  host.addEventListener('pointerover', (event) => inspect(tileAt(event.target)));
  host.addEventListener('pointerleave', () => inspect(null));
  host.addEventListener('focusin', (event) => inspect(tileAt(event.target)));
  host.addEventListener('keydown', mapKey);
  new ResizeObserver(() => drawMap()).observe(host);
  redraw();
}

function tileAt(element) {
  const g = element.closest('.tile');
  return g ? map.tiles.get(g) || null : null;
}

function clickTile(element) {
  for (let node = tileAt(element); node && node !== map.current; node = node.parent) {
    if (node.children.length > 0) return go(node, false);
  }
}

// go shows a part. Focused moves the focus into the new picture.
function go(node, focused) {
  const from = map.current;
  map.current = node;
  redraw();
  $('spoken').textContent = describe(node) + '. ' + plural(node.children.length, 'part') + '.';
  if (focused) focusTile(from);
}

function redraw() {
  drawCrumbs();
  drawLegend();
  map.width = 0;
  drawMap();
  inspect(null);
  drawParts();
}

function drawCrumbs() {
  const items = path(map.current).map((node, i, all) => {
    const last = i === all.length - 1;
    const name = last ? el('span', { class: 'name', 'aria-current': 'location', text: nameOf(node) })
      : el('button', { type: 'button', class: 'link name', text: nameOf(node), onclick: () => go(node, false) });
    if (last) name.append(el('span', { class: 'bytes', text: size(node.total) }));
    return el('li', {}, name);
  });
  $('crumbs').replaceChildren(...items);
}

function drawLegend() {
  const { total, sums } = map.current;
  $('bar').replaceChildren(...STATES.map((state, i) => sums[i] > 0 && statePart(state, sums[i] / total)).filter(Boolean));
  $('bar').hidden = !(total > 0);
  $('states').replaceChildren(...legend(map.current));
}

function drawMap() {
  const host = $('map');
  const width = Math.floor(host.clientWidth);
  if (host.hidden || width === 0 || width === map.width) return;
  map.width = width;
  const height = Math.round(Math.max(420, Math.min(width * 0.5, 760)));
  map.tiles = new Map();
  const picture = newPicture(width, height, map.current.sums.filter((bytes) => bytes > 0).length > 1);
  host.setAttribute('aria-label', 'Map of ' + describe(map.current));
  if (map.current.total > 0) {
    for (const d of layout(map.current, width, height).children || []) {
      picture.tiles.append(drawTile(d, { x0: 0, y0: 0 }, picture, []));
    }
  } else {
    write(picture, 16, 30, 'head', 'Nothing uses space here.');
  }
  host.replaceChildren(finishPicture(picture));
  const first = buttons()[0];
  if (first) first.setAttribute('tabindex', 0);
}

// inspect tells about the part under the pointer or the focus.
function inspect(node) {
  const idle = !node;
  node = node || map.current;
  const lines = [el('span', { class: 'what name', text: path(node).slice(1).map(nameOf).join(' / ') || 'The whole store' }),
    el('span', { text: size(node.total) }), el('span', { class: 'soft', text: percent(node.total, map.root.total) + ' of all' })];
  if (node.images > 1) lines.push(el('span', { class: 'soft', text: plural(node.images, 'image') }));
  if (node.id && !node.name.includes(node.id)) lines.push(el('span', { class: 'soft mono name', text: node.id }));
  if (node.built) lines.push(el('span', { class: 'soft', text: 'built ' + rough(new Date(map.generated) / 1000 - node.built) + ' before, on ' + day(node.built) }));
  if (node.sharing > 1) lines.push(el('span', { class: 'soft', text: 'in ' + plural(node.sharing, 'image') }));
  if (node.holder) lines.push(el('span', { class: 'soft name', text: 'held by ' + node.holder }));
  const kinds = el('span', { class: 'kinds' });
  STATES.forEach((state, i) => {
    if (!idle && node.sums[i] > 0) kinds.append(el('span', {}, swatch(state), el('span', { text: state.label + ' ' + size(node.sums[i]) })));
  });
  $('inspect').replaceChildren(...lines, kinds);
}
