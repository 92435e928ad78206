// Light or dark, as what is behind the explorer is: themes of JupyterLab, of editors and of pages alike.

function isDark(element) {
  for (let behind = element; behind; behind = behind.parentElement) {
    const found = getComputedStyle(behind).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (found && (found.length < 4 || found[3] > 0.5)) return 0.299 * found[0] + 0.587 * found[1] + 0.114 * found[2] < 128;
  }
  return getComputedStyle(document.documentElement).colorScheme === "dark";
}

// Keep the theme of an element as that of its surroundings; returns what ends it.
export function followTheme(element) {
  const update = () => (element.dataset.theme = isDark(element.parentElement ?? document.body) ? "dark" : "light");
  // Styles of a theme may come after its name, and the element may not be in the page yet.
  const later = () => [0, 60, 400].forEach((wait) => setTimeout(update, wait));
  const query = matchMedia("(prefers-color-scheme: dark)");
  const changes = new MutationObserver(later);
  for (const part of [document.documentElement, document.body]) changes.observe(part, { attributes: true });
  query.addEventListener("change", later);
  update();
  later();
  return () => {
    changes.disconnect();
    query.removeEventListener("change", later);
  };
}
