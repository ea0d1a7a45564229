// Where the tiles go: d3-hierarchy's squarified treemap over as much of the
// tree as can be seen. What would be too small to see is put together, so
// that the number of tiles depends on the picture and not on the store.
const HEAD = 19;
const DEPTH = 3;
const MOST = 90;

// crop copies the visible part of a tree; area is what the node will get.
function crop(node, area, depth) {
  const view = { node, value: node.total };
  if (depth === 0 || node.children.length === 0 || (depth < DEPTH && area < 2600)) return view;
  const shown = [];
  const small = [];
  const scale = node.total > 0 ? area / node.total : 0;
  for (const child of node.children) {
    if (child.total <= 0) continue;
    (child.total * scale >= 42 && shown.length < MOST ? shown : small).push(child);
  }
  if (small.length === 1) shown.push(small.pop());
  if (shown.length === 0 && depth < DEPTH) return view;
  view.children = shown.map((child) => crop(child, child.total * scale, depth - 1));
  if (small.length > 0) view.children.push({ node: bundle(node, small), value: small.reduce((a, n) => a + n.total, 0) });
  return view;
}

// bundle makes one part of many small ones; one can go into it.
function bundle(parent, small) {
  if (parent.bundled && parent.bundled.children.length === small.length) return parent.bundled;
  const node = { name: number.format(small.length) + ' smaller', kind: 'group', parent, children: small, sums: [0, 0, 0, 0, 0], images: 0 };
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
  const root = d3.hierarchy(crop(node, width * height, DEPTH), (v) => v.children)
    .sum((v) => (v.children ? 0 : v.value));
  const roomy = (d) => d.depth > 0 && d.x1 - d.x0 > 34 && d.y1 - d.y0 > HEAD + 14;
  return d3.treemap()
    .size([width, height])
    .round(true)
    .paddingInner((d) => (d.depth === 0 ? 3 : 1))
    .paddingOuter((d) => (d.depth === 0 ? 0 : 2))
    .paddingTop((d) => (roomy(d) ? HEAD : d.depth === 0 ? 0 : 2))(root);
}
