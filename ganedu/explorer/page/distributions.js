// Distributions in the plane [-3, 3]^2. Each has `sample(count, random)`, points (count, 2) one after the other; where
// it is made of modes, their `centres` and their standard deviation `width`.

const EXTENT = 3;

const around = (centres, width) => ({
  centres,
  width,
  sample: (count, random) => filled(count, () => {
    const [x, y] = centres[Math.floor(random.uniform() * centres.length)];
    return [x + width * random.normal(), y + width * random.normal()];
  }),
});

function filled(count, point) {
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i += 1) points.set(point(), 2 * i);
  return points;
}

const curved = (place, width) => ({
  sample: (count, random) => filled(count, () => {
    const [x, y] = place(random.uniform());
    return [x + width * random.normal(), y + width * random.normal()];
  }),
});

const circle = (radius, angle) => [radius * Math.cos(angle), radius * Math.sin(angle)];

function moon(u) {
  const [x, y] = circle(1.3, 2 * Math.PI * u);
  return u < 0.5 ? [x - 0.65, y - 0.35] : [x + 0.65, y + 0.35];
}

const DISTRIBUTIONS = {
  ring: around(Array.from({ length: 8 }, (_, k) => circle(2, (k * Math.PI) / 4)), 0.2),
  grid: around(Array.from({ length: 25 }, (_, k) => [(k % 5) - 2, Math.floor(k / 5) - 2]), 0.1),
  cloud: around([[1.2, 0.8]], 0.6),
  moons: curved(moon, 0.1),
  spiral: curved((u) => circle(0.4 + 2 * u, 3 * Math.PI * u), 0.1),
};

// What was drawn by hand: a cloud of width 0.08 around each of its `places`.
class Drawn {
  constructor() {
    this.places = [];
    this.width = 0.08;
  }

  sample(count, random) {
    const places = this.places.length ? this.places : [[0, 0]];
    return around(places, this.width).sample(count, random);
  }
}

// Shares of the squares of a grid over the plane, x along the first axis; what lies outside counts to the nearest
// square. As `ganedu.metrics.grid.histogram`.
function histogram(points, bins = 30) {
  const shares = new Float64Array(bins * bins), count = points.length / 2;
  const bin = (v) => Math.min(Math.max(Math.floor(((v + EXTENT) / (2 * EXTENT)) * bins), 0), bins - 1);
  for (let i = 0; i < count; i += 1) shares[bin(points[2 * i]) * bins + bin(points[2 * i + 1])] += 1 / count;
  return shares;
}

// JS(p, q) of shares, in nats. As `ganedu.metrics.grid.jensen_shannon`.
function jensenShannon(p, q) {
  let sum = 0;
  for (let i = 0; i < p.length; i += 1) {
    const m = (p[i] + q[i]) / 2;
    if (p[i]) sum += (p[i] * Math.log(p[i] / m)) / 2;
    if (q[i]) sum += (q[i] * Math.log(q[i] / m)) / 2;
  }
  return sum;
}

// How many modes have a sixth of their share of the points, or more, within three standard deviations.
function modesFound({ centres, width }, points) {
  const near = new Array(centres.length).fill(0), count = points.length / 2;
  for (let i = 0; i < count; i += 1) {
    const far = centres.map(([x, y]) => Math.hypot(points[2 * i] - x, points[2 * i + 1] - y));
    const closest = Math.min(...far);
    if (closest < 3 * width) near[far.indexOf(closest)] += 1;
  }
  return near.filter((n) => n >= count / (6 * centres.length)).length;
}
