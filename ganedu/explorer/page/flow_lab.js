// The lab of flows and diffusion: noise becomes a distribution in the plane.

const FLOW_BATCH = 256, FLOW_HIDDEN = [64, 64, 64], PARTICLES = 400, FIELD_SIDE = 15, FLOW_SHOWN = 400;

class FlowLab extends Lab {
  constructor() {
    super("flow_plane", "flow_matching", () => this.sampleAndShow(), 120);
    this.rate = 1e-2;
    this.chart = new Chart(say("losses"), [say("flow_loss")]);
    this.facts = Object.fromEntries(["training_steps", "js_generated", "js_real", "straightness"].map((name) => [name, fact(name)]));
    this.makeControls();
  }

  makeControls() {
    const names = ["flow_matching", "diffusion"];
    this.kind = choice(say("model"), names.map((n) => say(`model_${n}`)), (i) => { this.name = names[i]; this.reset(); });
    this.rates = rateSlider("rate", this.rate, (v) => { this.rate = v; });
    this.steps = slider(say("sampling_steps"), { min: 1, max: 50, step: 1, value: 20, digits: 0 }, () => this.sampleAndShow());
    this.time = slider(say("way"), { min: 0, max: 1, step: 0.01, value: 1 }, () => this.show());
    this.followed = slider(say("followed"), { min: 1, max: PARTICLES, step: 1, value: 1, digits: 0 }, () => this.show());
    this.play = new Pace(() => this.advance(), () => this.show(), 30);
    this.step = button("step_once", () => { this.pace.stop(); this.next(); this.sampleAndShow(); });
  }

  elements() {
    const { run, slow } = this.pace.buttons;
    const side = element("div", {},
      element("dl", {}, ...Object.values(this.facts).flatMap((f) => f.shown)),
      this.kind.control, ...this.dataChoice.controls, this.seed.control, this.rates.control,
      part("sampling", this.steps.control, this.time.control, this.followed.control,
        group(button("play_way", () => this.playWay()), button("stop_way", () => this.play.stop()))),
      element("div", { className: "curves" }, this.chart.shown));
    const left = element("div", {},
      group(this.step, run, slow, button("reset_lab", () => this.reset())),
      this.plane.canvas, this.trouble, legend("real", "generated", "arrow", "path"),
      paragraph(say("field_note")), paragraph(say("drawing_note")));
    this.reset();
    return [element("div", { className: "stage lab" }, left, side)];
  }

  // From noise to samples, in about four seconds; where motion is to be reduced, in five pictures.
  playWay() {
    this.play.stop();
    this.time.set(0);
    this.show();
    this.started = null;
    this.play.toggle("run");
  }

  advance() {
    this.started ??= performance.now();
    const way = Math.min((performance.now() - this.started) / 4000, 1);
    this.time.set(way);
    return way < 1;
  }

  reset() {
    this.pace.stop();
    this.play.stop();
    const random = new Random(this.seed.value() + 1);
    this.flow = new Flow(this.name, FLOW_HIDDEN, { random });
    this.noise = random.normals(2 * PARTICLES);
    this.random = random;
    this.trained = 0;
    this.chart.clear();
    this.trouble.textContent = "";
    this.refreshReal();
    this.sampleAndShow();
  }

  refreshReal() {
    const random = new Random(7);
    this.real = this.distribution().sample(FLOW_SHOWN, random);
    this.realShares = histogram(this.real, 15);
    this.facts.js_real.set(jensenShannon(this.realShares, histogram(this.distribution().sample(PARTICLES, random), 15)).toFixed(3));
  }

  next() {
    const { random } = this;
    const x = this.distribution().sample(FLOW_BATCH, random), noise = random.normals(2 * FLOW_BATCH);
    const u = Float32Array.from({ length: FLOW_BATCH }, () => random.uniform());
    const loss = this.flow.step(x, noise, u, this.rate);
    this.trained += 1;
    this.chart.add(this.trained, [loss]);
    return this.finite(this.flow.network);
  }

  sampleAndShow() {
    if (this.flow.average.finite()) {
      this.paths = this.flow.paths(this.noise, this.steps.value());
      this.js = jensenShannon(this.realShares, histogram(this.paths.at(-1), 15));
      this.facts.js_generated.set(this.js.toFixed(3));
      this.facts.straightness.set(this.straightness().toFixed(2));
    }
    this.show();
  }

  // The mean, over the particles, of the way from start to end beside the length of the path: 1 is straight.
  straightness() {
    const { paths } = this;
    let sum = 0;
    for (let i = 0; i < 2 * PARTICLES; i += 2) {
      let length = 0;
      for (let k = 1; k < paths.length; k += 1) length += Math.hypot(paths[k][i] - paths[k - 1][i], paths[k][i + 1] - paths[k - 1][i + 1]);
      sum += Math.hypot(paths.at(-1)[i] - paths[0][i], paths.at(-1)[i + 1] - paths[0][i + 1]) / (length || 1);
    }
    return sum / PARTICLES;
  }

  // Where the particles are at the slider's share of the way: between two steps on the line between them.
  show() {
    const { plane, paths } = this, steps = paths.length - 1, at = this.time.value() * steps;
    const before = Math.min(Math.floor(at), steps - 1), rest = at - before;
    const now = paths[before].map((v, i) => v + rest * (paths[before + 1][i] - v));
    plane.clear();
    plane.points(this.real, "real");
    plane.points(now, "generated");
    if (this.flow.average.finite()) {
      const places = lattice(FIELD_SIDE, 2.8), there = this.flow.moved(places, before / steps, (before + 1) / steps);
      plane.arrows(places, there.map((v, i) => v - places[i]), 0.3);
    }
    const own = 2 * (this.followed.value() - 1), way = paths.slice(0, before + 1).flatMap((p) => [p[own], p[own + 1]]);
    plane.path([...way, now[own], now[own + 1]]);
    plane.cross();
    this.facts.training_steps.set(String(this.trained));
    this.chart.show();
  }
}

openLab("flow", () => {
  window.ganedu.lab = new FlowLab();
  return window.ganedu.lab.elements();
});
