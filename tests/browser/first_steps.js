// What the page makes of each case of test_lab_page.py.

const flat = (lists) => lists.map((l) => Array.from(l));
async function computed(c) {
  if (c.kind === "gan") {
    const [G, D] = ["generator", "discriminator"].map((n, i) => new Network(c.units[i], "leaky_relu", { weights: c[n] }));
    const gan = Object.assign(new Gan(c.name, G, D), c.options);
    let losses = null;
    const after = c.x.map((parts, i) => {
      const d = parts.map((x, k) => gan.dStep(Float32Array.from(x), Float32Array.from(c.z[i][k]), c.epsilon[i][k], c.rate));
      const g = gan.gStep(Float32Array.from(c.z[i].at(-1)), c.rate);
      losses ??= [d.at(-1), g];
      return [...flat(G.weights), ...flat(D.weights)];
    });
    return { after, losses };
  }
  if (c.kind === "flow") {
    const made = new Flow(c.name, c.hidden, { weights: c.network });
    let losses = null;
    const after = c.x.map((x, i) => {
      const loss = made.step(Float32Array.from(x), Float32Array.from(c.noise[i]), c.u[i], c.rate);
      losses ??= [loss];
      return flat(made.network.weights);
    });
    return { after, losses, average: flat(made.average.weights), end: Array.from(made.paths(Float32Array.from(c.noise[0]), 10, 1).at(-1)) };
  }
  const [p, q] = [c.a, c.b].map((v) => histogram(Float32Array.from(v)));
  return { divergence: jensenShannon(p, q), found: modesFound(DISTRIBUTIONS.ring, Float32Array.from(c.a)) };
}
tf.start().then(async (backend) => {
  window.backend = backend;
  window.done = {};
  for (const [name, c] of Object.entries(DATA.cases)) {
    try { window.done[name] = await computed(c); } catch (e) { window.done[name] = { error: String(e) }; }
  }
  window.tensors = tf.engine().memory().numTensors;
  window.finished = true;
});
