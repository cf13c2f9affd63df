// Draws every element with a figure: plotly's bundled script, in the colours of the page, again when the scheme changes.
const script = document.createElement("script");
script.src = "/static/plotly.min.js";
script.addEventListener("load", () => {
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
});
document.head.append(script);

function draw() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  for (const place of document.querySelectorAll("[data-figure]")) {
    const { data, layout } = JSON.parse(place.dataset.figure, (_key, value) =>
      typeof value === "string" && value.startsWith("--") ? colour(value) : value);
    place.hidden = false; // before it is measured
    const axis = { gridcolor: colour("--line"), linecolor: colour("--edge"), automargin: true, fixedrange: true };
    Plotly.react(place, data, {
      height: 260, margin: { t: 10, r: 10, b: 30, l: 40 }, barmode: "stack", bargap: 0.15,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style.getPropertyValue("--body"), color: colour("--ink"), size: 13 },
      legend: { orientation: "h", y: -0.2 }, hovermode: "closest", ...layout,
      xaxis: { ...axis, ...layout.xaxis }, yaxis: { ...axis, rangemode: "tozero", ...layout.yaxis },
    }, { displayModeBar: false, responsive: true });
  }
}
