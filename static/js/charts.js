// Draws every <div data-chart="id"> from the JSON in <script type="application/json" id="id">.
// Colours are style sheet tokens ("token:--pass/0.15"), so a chart follows the theme; a click on a
// point opens the page that its customdata names.
(() => {
  const options = { displayModeBar: false, responsive: true, scrollZoom: false };

  function coloured(value) {
    if (typeof value === "string" && value.startsWith("token:")) {
      const [token, opacity] = value.slice(6).split("/");
      const colour = window.pawlColour(token);
      return opacity ? colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${opacity})`) : colour;
    }
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
    return value;
  }

  function draw(place) {
    const source = document.getElementById(place.dataset.chart);
    const { data, layout } = coloured(JSON.parse(source.textContent));
    Plotly.react(place, data, { ...layout, font: { ...layout.font, family: getComputedStyle(document.body).fontFamily } }, options)
      .then(() => { place.dataset.drawn = "yes"; });
    if (place.dataset.listens) return;
    place.dataset.listens = "yes";
    place.on("plotly_click", ({ points }) => {
      const url = points[0].customdata && points[0].customdata[0];
      if (typeof url === "string" && url.startsWith("/")) location.assign(url);
    });
  }

  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("pawl:theme", all);
})();
