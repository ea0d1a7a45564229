// The treemap's parts, as objects with their parent, their bytes by state,
// and how many images they have.
function sprout(raw, parent, data, byImage) {
  const node = {
    name: raw.n, kind: raw.k, parent, children: [], sums: noSums(), total: 0, images: 0, image: raw.i,
  };
  for (const child of raw.c || []) node.children.push(sprout(child, node, data, byImage));
  for (const leaf of raw.l || []) node.children.push(sproutLeaf(leaf, node, data));
  for (const [state, count, bytes] of raw.z || []) node.children.push(sproutRest(state, count, bytes, node));
  for (const child of node.children) {
    child.sums.forEach((bytes, i) => { node.sums[i] += bytes; });
    node.images += child.images;
  }
  node.total = node.sums.reduce((a, b) => a + b, 0);
  if (node.kind === 'image') {
    node.images = 1;
    byImage[raw.i] = node;
  }
  node.children.sort((a, b) => b.total - a.total);
  return node;
}

function plain(name, kind, parent, state, bytes) {
  const sums = noSums();
  sums[state] = bytes;
  return { name, kind, parent, children: [], sums, total: bytes, images: 0, state };
}

function sproutLeaf([kind, layer, bytes, state, id, images, holder, command, built], parent, data) {
  let name = KINDS[kind];
  if (layer > 0) name = 'layer ' + layer + (KINDS[kind] === 'snapshot' ? ', unpacked' : '');
  else if (KINDS[kind] === 'snapshot') name = 'snapshot ' + id;
  const told = command >= 0 ? data.strings[command] : '';
  if (told) name += ': ' + told;
  const leaf = plain(name, KINDS[kind], parent, state, bytes);
  return Object.assign(leaf, { id, sharing: images, holder: holder >= 0 ? data.strings[holder] : '', built: built || 0 });
}

function sproutRest(state, count, bytes, parent) {
  return plain(plural(count, 'smaller object'), 'rest', parent, state, bytes);
}

// path lists a part's ancestors and itself, the store first.
function path(node) {
  const all = [];
  for (let n = node; n; n = n.parent) all.unshift(n);
  return all;
}

function nameOf(node) {
  return node.kind === 'store' ? 'All' : node.name;
}

// describe says in words what a part is, for who cannot see it.
function describe(node) {
  const parts = STATES.map((s, i) => (node.sums[i] > 0 ? size(node.sums[i]) + ' ' + s.label.toLowerCase() : '')).filter(Boolean);
  const kind = ['group', 'shared', 'elsewhere', node.name].includes(node.kind) ? '' : node.kind + ' ';
  const count = node.images > 1 ? ', ' + plural(node.images, 'image') : '';
  return kind + nameOf(node) + ', ' + size(node.total) + count + (parts.length ? ': ' + parts.join(', ') : '');
}
