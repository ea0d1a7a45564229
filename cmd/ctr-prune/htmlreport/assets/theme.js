// Light or dark: as the system says, until the button is pressed. Paper is
// light.
const dark = window.matchMedia('(prefers-color-scheme: dark)');
let chosen = '';

function applyTheme(printing) {
  const theme = printing ? 'light' : chosen || (dark.matches ? 'dark' : 'light');
  document.documentElement.dataset.theme = theme;
  $('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
  $('theme').setAttribute('aria-label', 'Switch to ' + (theme === 'dark' ? 'light' : 'dark') + ' colours');
}

function openTheme() {
  dark.addEventListener('change', () => applyTheme(false));
  $('theme').addEventListener('click', () => {
    chosen = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    applyTheme(false);
  });
  window.addEventListener('beforeprint', () => applyTheme(true));
  window.addEventListener('afterprint', () => applyTheme(false));
  $('print').addEventListener('click', () => window.print());
  applyTheme(false);
}
