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

// A picture has three sheets: the tiles, their patterns, their labels. One path
// for all of a pattern keeps the picture light, on paper above all, and labels
// on top stay readable.
function newPicture(width, height) {
  const labels = svg('g', { 'aria-hidden': 'true' });
  return { tiles: svg('g', {}), labels, paths: {}, width, height };
}

function finishPicture(picture) {
  const textures = svg('g', { class: 'texture', 'aria-hidden': 'true' });
  for (const [key, parts] of Object.entries(picture.paths)) textures.append(svg('path', { fill: 'url(#p-' + key + ')', d: parts.join('') }));
  return svg('svg', { viewBox: '0 0 ' + picture.width + ' ' + picture.height, width: picture.width, height: picture.height },
    picture.tiles, textures, picture.labels);
}

// drawTile draws a tile with those in it; from is the corner of the tile that
// it lies in.
function drawTile(d, from, picture) {
  const node = d.data.node;
  const width = d.x1 - d.x0;
  const height = d.y1 - d.y0;
  if (width < 1 || height < 1) return null;
  const g = svg('g', { class: node.children.length ? 'tile' : 'tile dead', transform: 'translate(' + (d.x0 - from.x0) + ',' + (d.y0 - from.y0) + ')' });
  if (d.depth === 1) fill(g, { role: 'button', tabindex: -1, 'aria-label': describe(node) + (node.children.length ? '' : ', no parts') }, []);
  map.tiles.set(g, node);
  if (d.children) drawFrame(g, d, picture);
  else drawLeaf(g, d, picture);
  for (const child of d.children || []) {
    const inner = drawTile(child, d, picture);
    if (inner) g.append(inner);
  }
  g.append(svg('rect', { class: 'ring', x: 1, y: 1, width: Math.max(width - 2, 0), height: Math.max(height - 2, 0), rx: 2 }));
  return g;
}

function write(picture, d, x, y, kind, text) {
  picture.labels.append(svg('text', { class: kind, x: d.x0 + x, y: d.y0 + y, text }));
}

function drawFrame(g, d, picture) {
  const width = d.x1 - d.x0;
  const height = d.y1 - d.y0;
  g.append(svg('rect', { class: 'frame', width, height, rx: 2 }));
  if (width <= 34 || height <= HEAD + 14) return;
  const node = d.data.node;
  const left = label(node, width - 12, 'head');
  if (!left) return;
  write(picture, d, 6, 13.5, 'head', left);
  const need = textWidth(size(node.total), 'bytes');
  if (width - 12 - textWidth(left, 'head') > need + 10) write(picture, d, width - 6 - need, 13.5, 'bytes on-frame', size(node.total));
}

// drawLeaf fills a tile with its states, each in its share of the width.
function drawLeaf(g, d, picture) {
  const node = d.data.node;
  const width = d.x1 - d.x0;
  const height = d.y1 - d.y0;
  let x = 0;
  STATES.forEach((state, i) => {
    if (node.sums[i] <= 0 || !(node.total > 0)) return;
    const share = width * node.sums[i] / node.total;
    g.append(svg('rect', { class: 's-' + state.key, x: x.toFixed(2), width: share.toFixed(2), height }));
    if (state.key !== 'unique') {
      (picture.paths[state.key] ||= []).push('M' + (d.x0 + x).toFixed(2) + ',' + d.y0 + 'h' + share.toFixed(2) + 'v' + height + 'h' + (-share).toFixed(2) + 'z');
    }
    x += share;
  });
  if (height < 17) return;
  const text = label(node, width - 10, 'plain');
  if (!text) return;
  write(picture, d, 5, 14, 'plain', text);
  if (height > 32 && textWidth(size(node.total), 'bytes') < width - 10) write(picture, d, 5, 28, 'bytes', size(node.total));
}
