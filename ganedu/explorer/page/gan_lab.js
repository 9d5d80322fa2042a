// The lab of GANs: two networks play in the plane.

const BATCH = 128, HIDDEN = [64, 64], SHOWN = 400, MEASURED = 4000, MEASURE_EVERY = 25, ARROWS = 80, HEAT_SIDE = 41;
// What each loss starts with: learning rates, and steps of D to one of G.
const STARTS = {
  gan: { d: 1e-3, g: 1e-3, critic: 1 },
  lsgan: { d: 1e-3, g: 1e-3, critic: 1 },
  wgan: { d: 1e-3, g: 5e-4, critic: 5 },
  wgan_gp: { d: 2e-3, g: 1e-3, critic: 3 },
};

class GanLab extends Lab {
  constructor() {
    super("gan_plane", "gan", () => this.show(), 60);
    this.charts = {
      losses: new Chart(say("losses"), [say("d_loss"), say("g_loss")]),
      divergence: new Chart(say("divergence"), [say("js"), say("js_floor")]),
    };
    this.facts = Object.fromEntries(["taken", "modes", "gradient"].map((name) => [name, fact(name)]));
    this.makeControls();
  }

  makeControls() {
    const names = Object.keys(LOSSES);
    this.loss = choice(say("loss"), names.map((n) => say(`loss_${n}`)), (i) => this.choose(names[i]));
    this.rates = {
      d: rateSlider("d_rate", 1e-3, (v) => { this.settings.d = v; }),
      g: rateSlider("g_rate", 1e-3, (v) => { this.settings.g = v; }),
    };
    this.critic = slider(say("critic_steps"), { min: 1, max: 10, step: 1, value: 1, digits: 0 }, (v) => { this.settings.critic = v; });
    this.clip = slider(say("clip"), { min: 0.01, max: 0.5, step: 0.01, value: 0.1 }, (v) => { this.gan.clip = v; });
    this.penalty = slider(say("penalty"), { min: 0, max: 20, step: 0.1, value: 1, digits: 1 }, (v) => { this.gan.penaltyWeight = v; });
    this.stepD = button("step_d", () => { this.pace.stop(); this.dStep(); this.measureAndShow(); });
    this.stepG = button("step_g", () => { this.pace.stop(); this.gStep(); this.measureAndShow(); });
  }

  elements() {
    const { run, slow } = this.pace.buttons;
    const curves = element("div", { className: "curves" }, ...Object.values(this.charts).map((c) => c.shown));
    const side = element("div", {},
      element("dl", {}, ...Object.values(this.facts).flatMap((f) => f.shown)),
      ...this.dataChoice.controls, this.loss.control, this.seed.control,
      this.rates.d.control, this.rates.g.control, this.critic.control, this.clip.control, this.penalty.control, curves);
    const left = element("div", {},
      group(this.stepD, this.stepG, run, slow, button("reset_lab", () => this.reset())),
      this.plane.canvas, this.trouble, legend("real", "generated", "gradient"),
      this.about = paragraph(""), paragraph(say("drawing_note")));
    this.choose("gan");
    return [element("div", { className: "stage lab" }, left, side)];
  }

  choose(name) {
    this.name = name;
    this.settings = { ...STARTS[name] };
    for (const player of ["d", "g"]) this.rates[player].set(Math.log10(this.settings[player]));
    this.critic.set(this.settings.critic);
    this.clip.control.hidden = !LOSSES[name].clipped;
    this.penalty.control.hidden = !LOSSES[name].penalized;
    this.about.textContent = say(this.isCritic() ? "heat_critic" : "heat_discriminator");
    this.reset();
  }

  isCritic() {
    return Boolean(LOSSES[this.name].clipped || LOSSES[this.name].penalized);
  }

  // New weights, data and latents from the seed; a drawing stays.
  reset() {
    this.pace.stop();
    const random = new Random(this.seed.value() + 1);
    const generator = new Network([2, ...HIDDEN, 2], "leaky_relu", { random });
    const discriminator = new Network([2, ...HIDDEN, 1], "leaky_relu", { random });
    this.gan = new Gan(this.name, generator, discriminator);
    Object.assign(this.gan, { clip: this.clip.value(), penaltyWeight: this.penalty.value() });
    this.latents = random.normals(2 * SHOWN);
    this.measuredLatents = random.normals(2 * MEASURED);
    this.random = random;
    Object.assign(this, { steps: { d: 0, g: 0 }, last: { d: NaN, g: NaN }, turn: 0 });
    Object.values(this.charts).forEach((chart) => chart.clear());
    this.trouble.textContent = "";
    this.refreshReal();
    this.measureAndShow();
  }

  refreshReal() {
    const random = new Random(7);
    this.real = this.distribution().sample(SHOWN, random);
    this.realShares = histogram(this.distribution().sample(MEASURED, random));
    this.floor = jensenShannon(this.realShares, histogram(this.distribution().sample(MEASURED, random)));
  }

  dStep() {
    const { random } = this;
    const x = this.distribution().sample(BATCH, random), z = random.normals(2 * BATCH);
    const epsilon = Float32Array.from({ length: BATCH }, () => random.uniform());
    this.last.d = this.gan.dStep(x, z, epsilon, this.settings.d);
    this.steps.d += 1;
    return this.went();
  }

  gStep() {
    this.last.g = this.gan.gStep(this.random.normals(2 * BATCH), this.settings.g);
    this.steps.g += 1;
    return this.went();
  }

  went() {
    this.charts.losses.add(this.steps.d + this.steps.g, [this.last.d, this.last.g]);
    return this.finite(this.gan.generator, this.gan.discriminator);
  }

  // The next step of the algorithm: of D, or after so many of G.
  next() {
    this.turn += 1;
    if (this.turn <= this.settings.critic) return this.dStep();
    this.turn = 0;
    const fine = this.gStep();
    if (fine && this.steps.g % MEASURE_EVERY === 0) this.measure();
    return fine;
  }

  measure() {
    if (!this.gan.generator.finite()) return;
    const points = this.gan.generator.apply(this.measuredLatents);
    const js = jensenShannon(this.realShares, histogram(points));
    this.charts.divergence.add(this.steps.g, [js, this.floor]);
    const { centres } = this.distribution();
    const found = centres ? modesFound(this.distribution(), points) : null;
    this.facts.modes.set(centres ? `${found} / ${centres.length}` : "–");
    Object.assign(this, { js, found });
  }

  measureAndShow() {
    this.measure();
    this.show();
  }

  show() {
    const { plane, gan } = this;
    plane.clear();
    if (gan.discriminator.finite()) plane.heat(this.heat());
    plane.points(this.real, "real");
    if (gan.generator.finite() && gan.discriminator.finite()) {
      const generated = gan.generator.apply(this.latents);
      plane.points(generated, "generated");
      const places = generated.slice(0, 2 * ARROWS), arrows = gan.arrows(places);
      plane.arrows(places, arrows);
      let sum = 0;
      for (let i = 0; i < arrows.length; i += 2) sum += Math.hypot(arrows[i], arrows[i + 1]);
      this.facts.gradient.set((sum / ARROWS).toPrecision(3));
    }
    plane.cross();
    this.facts.taken.set(`${this.steps.d}, ${this.steps.g}`);
    Object.values(this.charts).forEach((chart) => chart.show());
  }

  // D's output at each place, from -1, generated, to 1, real; a critic's is measured from its mean, by its largest
  // difference from it.
  heat() {
    const outputs = this.gan.discriminator.apply(lattice(HEAT_SIDE));
    if (this.name === "gan") return outputs.map((a) => Math.tanh(a / 2));
    if (this.name === "lsgan") return outputs.map((a) => 2 * a - 1);
    const mean = outputs.reduce((sum, a) => sum + a, 0) / outputs.length;
    const most = outputs.reduce((high, a) => Math.max(high, Math.abs(a - mean)), 1e-12);
    return outputs.map((a) => (a - mean) / most);
  }
}

openLab("gan", () => {
  window.ganedu.lab = new GanLab();
  return window.ganedu.lab.elements();
});
