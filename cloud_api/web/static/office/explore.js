// A chart to be explored: drawn anew by Vega where its picture was, and read out where somebody points or walks by the
// arrow keys. What is read out stands in the chart's table: no figure is made here.

const OPTIONS = { mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: false };
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const COLON = document.documentElement.lang === "fr" ? "\u00a0: " : ": ";

export async function explore(figure, vega) {
  await import(vega);
  const drawing = figure.querySelector(".drawing");
  const { specification, formatLocale, timeFormatLocale } = JSON.parse(figure.querySelector("script").textContent);
  const wide = typeof specification.width === "number" ? { ...specification, width: "container" } : specification;
  figure.querySelector("img").hidden = true;
  drawing.hidden = false;
  const { view } = await window.vegaEmbed(drawing, wide, { ...OPTIONS, formatLocale, timeFormatLocale });
  const reader = new Reader(figure, drawing);
  view.addEventListener("pointermove", (_event, item) => {
    if (item?.datum?.x !== undefined) reader.show(keyOf(item.datum), item.datum.series);
  });
  drawing.addEventListener("keydown", (event) => reader.walk(event));
  drawing.focus();
}

function keyOf(datum) {
  return datum.x instanceof Date || typeof datum.x === "number" ? new Date(datum.x).toISOString().slice(0, 10) : datum.x;
}

class Reader {
  constructor(figure, drawing) {
    this.drawing = drawing;
    this.reading = figure.querySelector(".reading");
    this.rows = [...figure.querySelectorAll(".values tbody tr")];
    this.keys = this.rows.map((row) => row.dataset.x);
    this.series = [...figure.querySelectorAll(".values thead th")].slice(1).map((head) => head.textContent);
    this.squares = figure.dataset.kind === "heat";
    this.at = [-1, 0];
    this.reading.textContent = this.reading.dataset.how;
  }

  walk(event) {
    const step = STEPS[event.key] ?? { Home: [-this.keys.length, 0], End: [this.keys.length, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [x, series] = [this.at[0] + step[0], this.at[1] + step[1]];
    this.show(this.keys[within(x, this.keys)], this.series[within(series, this.series)]);
  }

  show(key, series) {
    this.at = [this.keys.indexOf(key), Math.max(0, this.series.indexOf(series))];
    const cells = [...this.rows[this.at[0]].cells].map((cell) => cell.textContent);
    const wanted = this.squares ? [this.at[1]] : this.series.keys();
    const told = [...wanted].map((number) => `${this.series[number]}${COLON}${cells[number + 1]}`);
    this.reading.textContent = [this.reading.dataset.before + cells[0], ...told].join(" · ");
    for (const mark of this.drawing.querySelectorAll(".mark-rect path, .mark-symbol path")) {
      const datum = mark.__data__?.datum;
      const here = datum?.x !== undefined && keyOf(datum) === key && (!this.squares || datum.series === series);
      mark.classList.toggle("here", here);
    }
  }
}

function within(number, list) {
  return Math.min(Math.max(number, 0), list.length - 1);
}
