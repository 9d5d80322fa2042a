// Draws from a seed: mulberry32, and what is made of its numbers.

class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  // In (0, 1).
  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  }

  normal() {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  gumbel() {
    return -Math.log(-Math.log(this.uniform()));
  }

  logistic() {
    const u = this.uniform();
    return Math.log(u / (1 - u));
  }

  normals(count) {
    return Float32Array.from({ length: count }, () => this.normal());
  }

  // One latent of a model's prior.
  latent(program) {
    const { prior, latent_dim: size } = program;
    if (prior.name === "gaussian") {
      const z = this.normals(size);
      return Float32Array.from(prior.mean, (m, i) => prior.factor[i].reduce((sum, f, j) => sum + f * z[j], m));
    }
    if (prior.name === "infogan") {
      const z = this.normals(size).fill(0, prior.noise_dim);
      z[prior.noise_dim + Math.floor(this.uniform() * prior.num_categories)] = 1;
      for (let i = prior.noise_dim + prior.num_categories; i < size; i += 1) z[i] = 2 * this.uniform() - 1;
      return z;
    }
    return this.normals(size);
  }
}
