// Curves that grow while something learns: one chart of some series over the steps.

const MAX_POINTS = 800;

class Chart {
  constructor(name, series) {
    this.width = 300;
    this.height = 120;
    this.lines = series.map((_, k) => svg("path", { class: `series-${k}` }));
    this.values = series.map(() => element("output", {}));
    this.range = element("figcaption", {});
    const title = svg("title", {}, name);
    const drawn = svg("svg", { viewBox: `0 0 ${this.width} ${this.height}`, role: "img" }, title, ...this.lines);
    const keys = series.map((text, k) => element("span", { className: `key key-${k}` }, `${text} `, this.values[k]));
    this.shown = element("figure", { className: "curve" }, element("figcaption", {}, name), ...keys, drawn, this.range);
    this.clear();
  }

  clear() {
    this.rows = [];
    this.stride = 1;
    this.show();
  }

  // Values of a step; when there are many, every second is left out.
  add(step, values) {
    this.last = values;
    if (step % this.stride) return;
    this.rows.push([step, ...values]);
    if (this.rows.length > MAX_POINTS) {
      this.stride *= 2;
      this.rows = this.rows.filter(([s]) => s % this.stride === 0);
    }
  }

  show() {
    const known = this.rows.flatMap((row) => row.slice(1)).filter(Number.isFinite);
    const low = Math.min(...known), high = Math.max(...known);
    const first = this.rows[0]?.[0] ?? 0, end = this.rows.at(-1)?.[0] ?? 0;
    const x = (step) => (end > first ? ((step - first) / (end - first)) * this.width : 0);
    const y = (v) => this.height - 5 - ((v - low) / (high - low || 1)) * (this.height - 10);
    this.lines.forEach((line, k) => {
      const places = this.rows.filter((row) => Number.isFinite(row[k + 1]));
      const path = places.map((row) => `${x(row[0]).toFixed(1)} ${y(row[k + 1]).toFixed(1)}`).join("L");
      line.setAttribute("d", path ? `M${path}h0.01` : "");
      const value = this.last?.[k];
      this.values[k].textContent = this.rows.length && Number.isFinite(value) ? value.toPrecision(3) : "";
    });
    this.range.textContent = known.length ? `${low.toPrecision(3)} … ${high.toPrecision(3)}; ${sayWith("step", `${first} … ${end}`)}` : say("no_value_yet");
  }
}
