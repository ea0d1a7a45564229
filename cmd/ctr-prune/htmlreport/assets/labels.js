// What the tiles are called. A header lies over the parts of its tile and takes
// nothing from their areas; labels give way to headers.
const HEAD = 18;

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

// label shortens a part's name. What it has in common with the parts beside it does
// not tell it from them, and goes first: whole words if that is enough.
function label(node, width, font) {
  const name = nameOf(node).slice(0, 300);
  if (textWidth(name, font) <= width) return name;
  let text = name;
  for (const common of inCommon(node)) {
    if (common < 3) break;
    text = '…' + name.slice(common);
    if (textWidth(text, font) <= width) return text;
  }
  return cut(text, width, font);
}

// inCommon is how many first characters all parts of the same kind have that lie
// beside a part: up to the last that separates words, and all.
function inCommon(node) {
  const parent = node.parent;
  if (!parent) return [];
  parent.common ||= {};
  if (!(node.kind in parent.common)) {
    const names = parent.children.filter((child) => child.kind === node.kind).map(nameOf);
    parent.common[node.kind] = names.length > 1 ? prefixOf(names) : [];
  }
  return parent.common[node.kind];
}

function prefixOf(names) {
  let shared = names[0].slice(0, 300);
  for (const name of names) {
    let n = 0;
    while (n < shared.length && shared[n] === name[n]) n++;
    shared = shared.slice(0, n);
  }
  return [Math.max(...['-', '_', '.', '/', ':', ' '].map((mark) => shared.lastIndexOf(mark))) + 1, shared.length];
}

const overlaps = (a, b) => a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;

// drawTitle writes the header of a tile with parts, and returns what now lies over
// them: of each part of what one has gone into, and within these only of repositories,
// so that no headers pile up around one area.
function drawTitle(d, picture, taken) {
  const first = d.depth === 1;
  const width = d.x1 - d.x0;
  if (!first && d.data.node.kind !== 'repository') return taken;
  const y = taken.reduce((y, box) => (overlaps(box, { x0: d.x0, x1: d.x1, y0: d.y0, y1: d.y0 + HEAD }) ? Math.max(y, box.y1) : y), d.y0 + 2);
  if (width < 40 || y + HEAD + 16 > d.y1) return taken;
  const bytes = size(d.data.node.total);
  const text = title(d, width - 16, first ? 'head' : 'plain');
  if (!text) return taken;
  const long = textWidth(text, first ? 'head' : 'plain');
  const sized = width - 18 - long > textWidth(bytes, 'bytes') + 8;
  const box = { x0: d.x0 + 2, y0: y, x1: d.x0 + 14 + long + (sized ? textWidth(bytes, 'bytes') + 7 : 0), y1: y + HEAD };
  picture.labels.append(svg('rect', { class: 'chip', x: at(box.x0), y: at(box.y0), width: at(box.x1 - box.x0), height: HEAD, rx: 3 }));
  write(picture, box.x0 + 6, box.y0 + 13, first ? 'head' : 'head inner', text);
  if (sized) write(picture, box.x0 + 13 + long, box.y0 + 13, 'bytes on-frame', bytes);
  return taken.concat(box);
}

// title is the name of a tile with the names of those that it lies in and that have
// no header, as far as there is room: the end tells it apart.
function title(d, width, font) {
  const names = d.ancestors().slice(0, Math.max(d.depth, 1)).map((n) => nameOf(n.data.node)).reverse();
  const way = d.depth > 1 ? names.slice(1) : names;
  for (let i = 0; i < way.length - 1; i++) {
    const text = (i > 0 ? '…/' : '') + way.slice(i).join('/');
    if (textWidth(text, font) <= width) return text;
  }
  return label(d.data.node, width, font);
}

// drawLabel writes the name of a tile without parts, and its size below, where no
// header is.
function drawLabel(d, picture, taken) {
  const text = label(d.data.node, d.x1 - d.x0 - 9, 'plain');
  if (!text) return taken;
  const box = { x0: d.x0 + 4, x1: d.x0 + 5 + textWidth(text, 'plain'), y0: d.y0 + 3, y1: d.y0 + 18 };
  for (const head of taken) {
    if (overlaps(head, box)) Object.assign(box, { y0: head.y1, y1: head.y1 + 15 });
  }
  if (box.y1 > d.y1 - 1) return taken;
  write(picture, box.x0, box.y0 + 12, 'plain', text);
  const bytes = size(d.data.node.total);
  const below = { x0: box.x0, x1: box.x0 + textWidth(bytes, 'bytes'), y0: box.y1, y1: box.y1 + 14 };
  if (below.y1 < d.y1 && below.x1 < d.x1 - 4 && !taken.some((head) => overlaps(head, below))) write(picture, box.x0, box.y0 + 26, 'bytes', bytes);
  return taken;
}

function write(picture, x, y, kind, text) {
  picture.labels.append(svg('text', { class: kind, x: at(x), y: at(y), text }));
}
