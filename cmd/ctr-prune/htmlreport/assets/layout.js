// Where the tiles go: d3-hierarchy's squarified treemap over as much of the
// tree as can be seen. Nothing is taken off a tile for a header or a gap, so that at
// each depth an area is a size, on the same scale. What would be too small to
// see is put together, so that the number of tiles depends on the picture and
// not on the store.
const ROOMY = 5200; // square pixels from which a tile shows its parts
const MOST = 4000; // tiles of a picture
const LEAST = 110; // square pixels of a part of a tile
const WHOLE = ['image', 'shared', 'elsewhere']; // shown in parts only where one has gone in

// crop copies the visible part of a tree; scale is square pixels a byte, depth 0 is
// what one has gone into.
function crop(node, scale, least, depth) {
  const view = { node, value: node.total };
  const whole = WHOLE.includes(node.kind) && !(depth === 1 && node.kind === 'image');
  if (node.children.length === 0 || (depth > 0 && (whole || node.total * scale < ROOMY))) return view;
  const shown = [];
  const small = [];
  for (const child of node.children) {
    if (child.total <= 0) continue;
    (child.total * scale >= (depth > 0 ? least : least / 4) ? shown : small).push(child);
  }
  if (depth === 0) while (shown.length < Math.min(MOST, 400) && small.length > 0) shown.push(small.shift());
  const rest = small.reduce((a, n) => a + n.total, 0);
  // Where most would be put together, a whole says more.
  if (depth > 0 && (shown.length === 0 || rest > node.total / 4)) return view;
  if (small.length === 1) shown.push(small.pop());
  view.children = shown.map((child) => crop(child, scale, least, depth + 1));
  if (small.length > 0) view.children.push({ node: bundle(node, small), value: rest });
  return view;
}

// bundle makes one part of many small ones; one can go into it.
function bundle(parent, small) {
  if (parent.bundled && parent.bundled.children.length === small.length) return parent.bundled;
  const node = { name: number.format(small.length) + ' smaller', kind: 'group', parent, children: small, sums: noSums(), images: 0 };
  for (const child of small) {
    child.sums.forEach((bytes, i) => { node.sums[i] += bytes; });
    node.images += child.images;
  }
  node.total = node.sums.reduce((a, b) => a + b, 0);
  parent.bundled = node;
  return node;
}

// layout returns the tiles as a d3 node with x0, y0, x1, y1.
function layout(node, width, height) {
  const area = width * height;
  const root = d3.hierarchy(crop(node, area / node.total, Math.max(LEAST, area / MOST), 0), (v) => v.children)
    .sum((v) => (v.children ? 0 : v.value));
  return d3.treemap().size([width, height])(root);
}
