// From noise to images, step by step, as `ganedu/samplers.py` and the models say. Arrays are Float64Array; each function
// is a generator that yields the image that the network sees at each step, and returns the last.

const clip = (v) => Math.min(Math.max(v, -1), 1);
const clipped = (x) => Float64Array.from(x, clip);
const shifted = (u, k) => u / (u + k * (1 - u));
const rint = (v) => {
  const low = Math.floor(v), rest = v - low;
  return rest > 0.5 || (rest === 0.5 && low % 2) ? low + 1 : low;
};

// x_{t + dt} along the velocity (predict(x, t) - x) / (1 - t); `order` 2 is Heun's, whose last step is Euler's.
function* flow(predict, x, steps, shift, order) {
  const at = (i) => shifted(i / steps, shift);
  let seen = x;
  const velocity = (y, t) => {
    seen = predict(y, t);
    return y.map((v, i) => (seen[i] - v) / (1 - t));
  };
  for (let i = 0; i < steps; i += 1) {
    const t = at(i), later = i + 1 === steps ? 1 : at(i + 1), h = later - t;
    let v = velocity(x, t);
    yield { x, seen, step: i, steps };
    if (order === 2 && i + 1 < steps) {
      const w = velocity(x.map((a, j) => a + h * v[j]), later);
      v = v.map((a, j) => (a + w[j]) / 2);
    }
    x = x.map((a, j) => a + h * v[j]);
  }
  return x;
}

// DPM-Solver++(2M) over the times of a schedule alpha_bar_0, ..., alpha_bar_T.
function* dpmSolver(predict, x, steps, alphaBar) {
  const last = alphaBar.length - 1;
  const at = Array.from({ length: steps + 1 }, (_, i) => rint(last - (last * i) / steps));
  let before = null;
  for (let i = 0; i < steps; i += 1) {
    const a = alphaBar[at[i]], to = alphaBar[at[i + 1]];
    const seen = predict(x, at[i] / last);
    yield { x, seen, step: i, steps };
    if (to === 1) return seen;
    const h = 0.5 * (Math.log(to / (1 - to)) - Math.log(a / (1 - a)));
    const previous = before;
    const d = previous ? seen.map((v, j) => v + (h / (2 * previous.h)) * (v - previous.seen[j])) : seen;
    before = { seen, h };
    const keep = Math.sqrt((1 - to) / (1 - a)), add = Math.sqrt(to) * Math.expm1(-h);
    x = x.map((v, j) => keep * v - add * d[j]);
  }
  return x;
}

// The index of the largest of `logits[from ... from + count)`, with Gumbel noise a draw from their softmax.
function largest(logits, from, count, temperature, noise) {
  let best = 0, value = -Infinity;
  for (let k = 0; k < count; k += 1) {
    const v = logits[from + k] / temperature + noise(k);
    if (v > value) [best, value] = [k, v];
  }
  return best;
}

// A pixel of the mixture of logistics (or the Bernoulli) whose parameters a network gives: `ganedu/engine/pixels.py`.
function drawPixel(parameters, from, count, channels, levels, gumbel, logistic) {
  const at = (i) => parameters[from + i];
  if (levels === 2) return Array.from({ length: channels }, (_, c) => (logistic(c) < at(c) ? 1 : -1));
  const size = 1 + 2 * channels + (channels * (channels - 1)) / 2;
  let best = 0, value = -Infinity;
  for (let k = 0; k < count / size; k += 1) {
    const v = at(k * size) + gumbel(k);
    if (v > value) [best, value] = [k, v];
  }
  const own = (i) => at(best * size + i), pixel = [];
  let used = 1 + 2 * channels;
  for (let c = 0; c < channels; c += 1) {
    let mean = own(1 + c);
    for (let before = 0; before < c; before += 1) mean += Math.tanh(own(used + before)) * pixel[before];
    used += c;
    const drawn = mean + Math.exp(Math.max(own(1 + channels + c), -7)) * logistic(c);
    const bin = Math.min(Math.max(rint(((drawn + 1) * (levels - 1)) / 2), 0), levels - 1);
    pixel.push((bin * 2) / (levels - 1) - 1);
  }
  return pixel;
}
