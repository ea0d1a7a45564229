// Everything that the page shows is made here: elements with attributes, and
// text as textContent. Nothing is ever parsed as markup.
const SVG = 'http://www.w3.org/2000/svg';
const $ = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === 'text') element.textContent = value;
    else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

// patterns let one tell the states apart without colour.
function patterns() {
  const pattern = (key, side, ...marks) =>
    svg('pattern', { id: 'p-' + key, width: side, height: side, patternUnits: 'userSpaceOnUse' }, ...marks);
  return svg('svg', { width: 0, height: 0, 'aria-hidden': 'true', class: 'unseen' }, svg('defs', {},
    pattern('shared', 7, svg('path', { class: 'stroke', d: 'M-1,1 l2,-2 M0,7 l7,-7 M6,8 l2,-2' })),
    pattern('held', 8, svg('circle', { class: 'dot', cx: 2, cy: 2, r: 1.3 }), svg('circle', { class: 'dot', cx: 6, cy: 6, r: 1.3 })),
    pattern('reclaimable', 12, svg('path', { class: 'stroke', d: 'M0,0 l12,12 M-1,11 l2,2 M11,-1 l2,2' })),
    pattern('garbage', 6, svg('path', { class: 'stroke', d: 'M0,3 h6' }))));
}

// stateRects fills an area with a state: its colour and its pattern.
function stateRects(key, box) {
  const rects = [svg('rect', { class: 's-' + key, ...box })];
  if (key !== 'unique') rects.push(svg('rect', { fill: 'url(#p-' + key + ')', ...box }));
  return rects;
}

function swatch(key) {
  const box = { width: '100%', height: '100%' };
  return svg('svg', { class: 'swatch', 'aria-hidden': 'true' }, ...stateRects(key, box));
}
