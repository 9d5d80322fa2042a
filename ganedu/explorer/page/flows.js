// Diffusion and flow matching of points in the plane; the losses of ganedu/models/diffusion.py and flow_matching.py.

const TIMESTEPS = 1000, WAVES = 8, HIGHEST = 8, EMA_MOMENTUM = 0.99;

// alpha_bar_0, ..., alpha_bar_T of the cosine schedule.
const ALPHA_BAR = (() => {
  const f = (i) => Math.cos(((i / TIMESTEPS + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  const bars = [1];
  for (let i = 1; i <= TIMESTEPS; i += 1) bars.push(bars[i - 1] * (1 - Math.min(1 - f(i) / f(i - 1), 0.999)));
  return bars;
})();

// Points and their times, as the network reads them: x, y, and sines and cosines of the time.
function withTime(points, times) {
  const columns = 2 + 2 * WAVES, count = points.length / 2, rows = new Float32Array(count * columns);
  for (let i = 0; i < count; i += 1) {
    const t = typeof times === "number" ? times : times[i];
    rows.set(points.subarray(2 * i, 2 * i + 2), i * columns);
    for (let k = 0; k < WAVES; k += 1) {
      const angle = 2 * Math.PI * t * HIGHEST ** (k / (WAVES - 1));
      rows[i * columns + 2 + k] = Math.sin(angle);
      rows[i * columns + 2 + WAVES + k] = Math.cos(angle);
    }
  }
  return rows;
}

// A network of so many hidden units, and how it learns: `name` is "flow_matching", whose network is the velocity, or
// "diffusion", whose network is the noise. Samples are those of `average`, the moving average of the weights.
class Flow {
  constructor(name, units, options) {
    this.name = name;
    const all = [2 + 2 * WAVES, ...units, 2];
    this.network = new Network(all, "silu", options);
    this.average = new Network(all, "silu", { weights: this.network.weights });
    this.optimizer = new Adam();
    this.taken = 0;
  }

  // A step on points, noise (B, 2) and u (B,) in [0, 1); returns the loss.
  step(x, noise, u, rate) {
    const mixed = new Float32Array(x.length), target = new Float32Array(x.length), times = new Float32Array(u.length);
    for (let i = 0; i < u.length; i += 1) {
      const t = this.name === "diffusion" ? 1 + Math.floor(u[i] * TIMESTEPS) : u[i];
      const bar = ALPHA_BAR[this.name === "diffusion" ? t : 0];
      times[i] = this.name === "diffusion" ? t / TIMESTEPS : t;
      for (let j = 2 * i; j < 2 * i + 2; j += 1) {
        mixed[j] = this.name === "diffusion" ? Math.sqrt(bar) * x[j] + Math.sqrt(1 - bar) * noise[j] : (1 - t) * noise[j] + t * x[j];
        target[j] = this.name === "diffusion" ? noise[j] : x[j] - noise[j];
      }
    }
    const found = tf.tidy(() => {
      const input = this.network.points(withTime(mixed, times)), wanted = tf.tensor(target, [u.length, 2]);
      const loss = (w) => tf.mean(tf.square(tf.sub(wanted, this.network.run(input, w))));
      return this.network.minimize(loss, this.optimizer, rate);
    });
    this.updateAverage();
    return found;
  }

  // average <- m average + (1 - m) network; m starts low, so that the first, random weights are soon forgotten.
  updateAverage() {
    this.taken += 1;
    const share = 1 - Math.min(EMA_MOMENTUM, (1 + this.taken) / (10 + this.taken));
    this.average.weights.forEach((a, k) => {
      const w = this.network.weights[k];
      for (let i = 0; i < a.length; i += 1) a[i] += share * (w[i] - a[i]);
    });
  }

  // How points move in one sampling step, from the share `from` of the way to the share `to`, 0 being noise: Euler's step
  // of a flow; of diffusion DDIM's, whose guess of the sample is kept within `extent`.
  moved(points, from, to, extent = EXTENT) {
    if (this.name !== "diffusion") {
      const velocity = this.average.apply(withTime(points, from));
      return points.map((v, i) => v + (to - from) * velocity[i]);
    }
    const t = Math.round((1 - from) * TIMESTEPS), s = Math.round((1 - to) * TIMESTEPS);
    const noise = this.average.apply(withTime(points, t / TIMESTEPS)), a = ALPHA_BAR[t], b = ALPHA_BAR[s];
    return points.map((v, i) => {
      const guess = Math.min(Math.max((v - Math.sqrt(1 - a) * noise[i]) / Math.sqrt(a), -extent), extent);
      const rest = (v - Math.sqrt(a) * guess) / Math.sqrt(1 - a);
      return Math.sqrt(b) * guess + Math.sqrt(1 - b) * rest;
    });
  }

  // Where points are after each of so many steps: a list of `steps` + 1, the first being the noise.
  paths(noise, steps, extent = EXTENT) {
    const places = [noise];
    for (let i = 0; i < steps; i += 1) places.push(this.moved(places[i], i / steps, (i + 1) / steps, extent));
    return places;
  }
}
