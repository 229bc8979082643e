// Before the first paint: the colours that this browser's user chose here, else the system's.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('perigee.theme');
  } catch {
    // Storage may be forbidden; then the system's colours it is.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
