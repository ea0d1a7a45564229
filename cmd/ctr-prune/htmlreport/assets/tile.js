// Drawing one tile of the map.
const measure = document.createElement('canvas').getContext('2d');
const FONTS = { head: '600 12px ', plain: '12px ', bytes: '11px ' };

function textWidth(text, font) {
  measure.font = FONTS[font] + getComputedStyle(document.body).fontFamily;
  return measure.measureText(text).width;
}

// cut shortens a text to a width; '' if too little would be left to read.
function cut(text, width, font) {
  if (text.length > 200) text = text.slice(0, 200);
  if (textWidth(text, font) <= width) return text;
  const chars = Array.from(text);
  let low = 0;
  let high = chars.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(chars.slice(0, middle).join('') + '…', font) <= width) low = middle;
    else high = middle - 1;
  }
  return low < 3 ? '' : chars.slice(0, low).join('') + '…';
}

// label shortens a part's name. Of a repository the end tells it apart, so its
// first components go first.
function label(node, width, font) {
  const parts = nameOf(node).slice(0, 300).split('/');
  let name = nameOf(node);
  for (let i = 1; node.kind === 'repository' && i < parts.length && textWidth(name, font) > width; i++) {
    name = '…/' + parts.slice(i).join('/');
  }
  return cut(name, width, font);
}

// drawTile draws a tile with those in it; from is the corner of the tile that
// it lies in.
function drawTile(d, from, actions) {
  const node = d.data.node;
  const width = d.x1 - d.x0;
  const height = d.y1 - d.y0;
  if (width < 1 || height < 1) return null;
  const g = svg('g', { class: node.children.length ? 'tile' : 'tile dead', transform: 'translate(' + (d.x0 - from.x0) + ',' + (d.y0 - from.y0) + ')' });
  if (d.depth === 1) fill(g, { role: 'button', tabindex: -1, 'aria-label': describe(node) + (node.children.length ? '' : ', no parts') }, []);
  actions.set(g, node);
  if (d.children) drawFrame(g, d, width, height);
  else drawLeaf(g, node, width, height);
  for (const child of d.children || []) {
    const inner = drawTile(child, d, actions);
    if (inner) g.append(inner);
  }
  g.append(svg('rect', { class: 'ring', x: 1, y: 1, width: Math.max(width - 2, 0), height: Math.max(height - 2, 0), rx: 2 }));
  return g;
}

function drawFrame(g, d, width, height) {
  g.append(svg('rect', { class: 'frame', width, height, rx: 2 }));
  if (width <= 34 || height <= HEAD + 14) return;
  const node = d.data.node;
  const bytes = size(node.total);
  const left = label(node, width - 12, 'head');
  if (!left) return;
  g.append(svg('text', { class: 'head', x: 6, y: 13.5, text: left }));
  const room = width - 12 - textWidth(left, 'head');
  const need = textWidth(bytes, 'bytes');
  if (room > need + 10) g.append(svg('text', { class: 'bytes', x: width - 6 - need, y: 13.5, text: bytes }));
}

// drawLeaf fills a tile with its states, each in its share of the width.
function drawLeaf(g, node, width, height) {
  let x = 0;
  STATES.forEach((state, i) => {
    if (node.sums[i] <= 0 || !(node.total > 0)) return;
    const share = width * node.sums[i] / node.total;
    for (const rect of stateRects(state.key, { x, width: share, height })) g.append(rect);
    x += share;
  });
  if (height < 17) return;
  const text = label(node, width - 10, 'plain');
  if (!text) return;
  g.append(svg('text', { x: 5, y: 14, text }));
  if (height > 32 && textWidth(size(node.total), 'bytes') < width - 10) g.append(svg('text', { class: 'bytes', x: 5, y: 28, text: size(node.total) }));
}
