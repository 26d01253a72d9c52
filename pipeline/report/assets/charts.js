// Charts: figures are JSON inside their elements; colours and fonts are the page's own.

// A custom property such as light-dark(…) as the colour that it comes to.
function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function template() {
  const [ink, quiet, line, paper] = ["ink", "quiet", "line", "paper"].map(colour);
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, tickfont: { color: quiet }, automargin: true };
  return {
    data: { bar: [{ insidetextfont: { color: paper } }] },
    layout: {
      colorway: ["chosen", "rejected", "degraded", "clean"].map(colour),
      coloraxis: { colorscale: [[0, colour("rejected")], [0.5, paper], [1, colour("chosen")]] },
      font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 13 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      shapedefaults: { line: { color: quiet, dash: "dot", width: 1 } },
      margin: { l: 8, r: 24, t: 8, b: 32 },
      xaxis: axis,
      yaxis: { ...axis, showgrid: false },
    },
  };
}

function drawCharts(root) {
  const page = template();
  for (const chart of root.querySelectorAll(".chart")) {
    const { data, layout } = JSON.parse(chart.querySelector("script").textContent);
    const options = { displayModeBar: false, responsive: true };
    Plotly.react(chart.querySelector("div"), data, { ...layout, template: page }, options);
  }
}
