// Drawing the tiles of the map.
const measure = document.createElement('canvas').getContext('2d');
const FONTS = { head: '600 12px ', plain: '12px ', bytes: '11px ' };

function textWidth(text, font) {
  measure.font = FONTS[font] + getComputedStyle(document.body).fontFamily;
  return measure.measureText(text).width;
}

// A picture has sheets: the tiles, their patterns, the lines between them, their
// labels. One path for all of a pattern keeps the picture light, on paper above all,
// and labels on top stay readable.
function newPicture(width, height, several) {
  return { tiles: svg('g', {}), lines: [], labels: svg('g', { 'aria-hidden': 'true' }), paths: {}, width, height, several };
}

function finishPicture(picture) {
  const textures = svg('g', { class: 'texture', 'aria-hidden': 'true' });
  for (const [key, parts] of Object.entries(picture.paths)) textures.append(svg('path', { fill: 'url(#p-' + key + ')', d: parts.join('') }));
  const lines = svg('g', { class: 'lines', 'aria-hidden': 'true' });
  for (let depth = picture.lines.length - 1; depth > 0; depth--) {
    lines.append(svg('path', { class: 'line-' + Math.min(depth, 3), d: (picture.lines[depth] || []).join('') }));
  }
  return svg('svg', { viewBox: '0 0 ' + picture.width + ' ' + picture.height, width: picture.width, height: picture.height },
    picture.tiles, textures, lines, picture.labels);
}

const at = (n) => n.toFixed(2);
const outline = (x, y, width, height) => 'M' + at(x) + ',' + at(y) + 'h' + at(width) + 'v' + at(height) + 'h' + at(-width) + 'z';

// drawTile draws a tile with those in it; from is the corner of the tile that
// it lies in, taken are the headers that lie over it.
function drawTile(d, from, picture, taken) {
  const node = d.data.node;
  const box = { x: d.x0 - from.x0, y: d.y0 - from.y0, width: d.x1 - d.x0, height: d.y1 - d.y0 };
  const g = svg('g', { class: node.children.length ? 'tile' : 'tile dead', 'data-bytes': node.total, transform: 'translate(' + at(box.x) + ',' + at(box.y) + ')' });
  if (d.depth === 1) fill(g, { role: 'button', tabindex: -1, 'aria-label': describe(node) + (node.children.length ? '' : ', no parts') }, []);
  map.tiles.set(g, node);
  if (!d.children) drawLeaf(g, d, picture);
  (picture.lines[d.depth] ||= []).push(outline(d.x0, d.y0, box.width, box.height));
  const over = d.children ? drawTitle(d, picture, taken) : drawLabel(d, picture, taken);
  for (const child of d.children || []) g.append(drawTile(child, d, picture, over));
  g.append(svg('rect', { class: 'ring', x: 1, y: 1, width: Math.max(box.width - 2, 0), height: Math.max(box.height - 2, 0), rx: 2 }));
  return g;
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
    g.append(svg('rect', { class: 's-' + state.key, x: at(x), width: at(share), height: at(height) }));
    if (state.hatched && picture.several && Math.min(share, height) > 9) (picture.paths[state.key] ||= []).push(outline(d.x0 + x, d.y0, share, height));
    x += share;
  });
}
