// The map by keyboard: one tile can be reached by Tab, arrows move to the next
// in that direction, Enter goes in, Backspace and Escape come back.
function buttons() {
  return Array.from($('map').querySelectorAll('[role=button]'));
}

function focusButton(button) {
  for (const other of buttons()) other.setAttribute('tabindex', other === button ? 0 : -1);
  button.focus();
}

// focusTile puts the focus on the tile of a part, else on the first.
function focusTile(node) {
  const all = buttons();
  const at = all.find((b) => map.tiles.get(b) === node) || all[0];
  if (at) focusButton(at);
}

function mapKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const button = event.target.closest('[role=button]');
  const node = button && map.tiles.get(button);
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (move && button) {
    const next = neighbour(button, move);
    if (next) focusButton(next);
  } else if ((event.key === 'Enter' || event.key === ' ') && node) {
    if (node.children.length > 0) go(node, true);
  } else if ((event.key === 'Backspace' || event.key === 'Escape') && map.current.parent) {
    go(map.current.parent, true);
  } else if (event.key === 'Home' || event.key === 'End') {
    const all = buttons();
    if (all.length) focusButton(all[event.key === 'Home' ? 0 : all.length - 1]);
  } else {
    return;
  }
  event.preventDefault();
}

// neighbour finds the nearest tile in a direction; what lies beside is nearer
// than what lies across.
function neighbour(from, [dx, dy]) {
  const middle = (b) => {
    const r = b.getBoundingClientRect();
    return [r.left + r.width / 2, r.top + r.height / 2];
  };
  const [x, y] = middle(from);
  let best = null;
  let least = Infinity;
  for (const b of buttons()) {
    const [bx, by] = middle(b);
    const ahead = (bx - x) * dx + (by - y) * dy;
    const aside = Math.abs((bx - x) * dy) + Math.abs((by - y) * dx);
    const distance = ahead + 2.5 * aside;
    if (b !== from && ahead > 1 && distance < least) {
      least = distance;
      best = b;
    }
  }
  return best;
}
