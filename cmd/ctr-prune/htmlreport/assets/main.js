const data = JSON.parse($('data').textContent);
data.strings = data.strings.map(times);
wordStates(data.kind);
document.body.prepend(patterns());
openTheme();
showHead(data);
showHolders(data);
showMessages(data);
showHeld(data);
const byImage = [];
const root = data.tree ? sprout(data.tree, null, data, byImage) : null;
if (root) {
  openMap(root, data.generated);
  $('as-map').addEventListener('click', () => showParts(false));
  $('as-table').addEventListener('click', () => showParts(true));
} else {
  $('map-section').hidden = true;
}
openTable(data, byImage);
showNode(JSON.parse($('node-data').textContent), data);
// The time at which the page can be used, for who measures it.
performance.mark('ready');
