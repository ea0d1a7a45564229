// What there is to know beside the numbers.
function showMessages(data) {
  $('messages').hidden = data.messages.length === 0;
  for (const message of data.messages) {
    const list = el('ul', {});
    for (const line of message.lines) list.append(el('li', { text: times(line) }));
    $('messages').append(el('div', { class: 'message ' + message.level }, el('h3', { text: message.title }), list));
  }
}

function showHeld(data) {
  $('held-section').hidden = data.held.length === 0;
  if (data.held.length === 0) return;
  const body = el('tbody', {});
  for (const held of data.held.slice(0, PARTS)) {
    body.append(el('tr', {}, el('th', { scope: 'row', class: 'name', text: held.holder }),
      numberCell(held.objects, number.format(held.objects), 'Objects'), bytesCell(held.bytes, 'Size')));
  }
  const rest = data.held.length - PARTS;
  if (rest > 0) body.append(el('tr', {}, el('td', { colspan: 3, class: 'hint', text: '… and ' + plural(rest, 'holder') + ' of less' })));
  $('held').append(el('table', {}, el('caption', { class: 'unseen', text: 'What is kept, by holder' }),
    el('thead', {}, el('tr', {}, el('th', { scope: 'col', text: 'Held by' }), el('th', { scope: 'col', class: 'num', text: 'Objects' }), el('th', { scope: 'col', class: 'num', text: 'Size' }))), body));
}
