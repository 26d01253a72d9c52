// The page as a whole: its theme, and what is done to it once and to every part that comes later.

// Light or dark: what the system says, until a reader says otherwise.
function toggleTheme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
  drawCharts(document);
}

function setUp(root) {
  drawCharts(root);
  setUpClips(root);
  setUpFilters(root);
}

document.querySelector(".theme").addEventListener("click", toggleTheme);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawCharts(document));
setUp(document);
