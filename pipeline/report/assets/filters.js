// Filters of the pairs to listen to: a pair is shown if it meets all of them.

function meets(pair, wanted) {
  const { degradations, models, split, margins, text } = pair.dataset;
  const margin = JSON.parse(margins)[wanted.score];
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  return (
    (!wanted.degradation || JSON.parse(degradations).includes(wanted.degradation)) &&
    (!wanted.model || JSON.parse(models).includes(wanted.model)) &&
    (!wanted.split || split === wanted.split) &&
    (wanted.margin === "" || (margin != null && margin >= Number(wanted.margin))) &&
    words.every((word) => text.toLowerCase().includes(word))
  );
}

function applyFilters(form) {
  const wanted = Object.fromEntries(new FormData(form));
  const pairs = [...form.closest("section").querySelectorAll(".pair")];
  for (const pair of pairs) {
    pair.hidden = !meets(pair, wanted);
    if (pair.hidden) pair.querySelectorAll("audio").forEach((audio) => audio.pause());
  }
  const shown = pairs.filter((pair) => !pair.hidden).length;
  form.querySelector("output").textContent = `${shown} of ${pairs.length} shown`;
}

function setUpFilters(root) {
  for (const form of root.querySelectorAll("form.filters")) {
    form.addEventListener("input", () => applyFilters(form));
    form.addEventListener("reset", () => setTimeout(() => applyFilters(form)));
    form.addEventListener("submit", (event) => event.preventDefault());
    applyFilters(form);
  }
}
