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

// patterns mark what goes, without colour: hatching is for nothing else.
function patterns() {
  const stroke = svg('path', { class: 'stroke', d: 'M0,0 l12,12 M-1,11 l2,2 M11,-1 l2,2' });
  return svg('svg', { width: 0, height: 0, 'aria-hidden': 'true', class: 'unseen' }, svg('defs', {},
    svg('pattern', { id: 'p-goes', width: 12, height: 12, patternUnits: 'userSpaceOnUse' }, stroke)));
}

// stateRects fills an area with a state: its colour, and its pattern if it has one.
function stateRects(state) {
  const box = { width: '100%', height: '100%' };
  return [svg('rect', { class: 's-' + state.key, ...box }), state.hatched && svg('rect', { fill: 'url(#p-' + state.key + ')', ...box })];
}

function swatch(state) {
  return svg('svg', { class: 'swatch', 'aria-hidden': 'true' }, ...stateRects(state));
}

// legend says what the colours mean, and how much of each is in a part; of what there
// is nothing it says nothing.
function legend(node) {
  return STATES.map((state, i) => node.sums[i] > 0 && el('li', { title: state.hint },
    swatch(state), el('span', { text: state.label }), el('span', { class: 'soft', text: size(node.sums[i]) + ', ' + percent(node.sums[i], node.total) }))).filter(Boolean);
}
