// Runs before the page is drawn, so that a chosen theme does not flash.
try {
  const theme = localStorage.getItem('arenalab-theme');
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // No storage for files: the system's theme stands.
}
