// Dense networks that learn in the page: TensorFlow.js takes the gradients; the optimizers are Keras's.

const ACTIVATIONS = {
  leaky_relu: (x) => tf.leakyRelu(x, 0.2),
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
};

// Layers of so many units; weights (in, out), (out,), ... as Keras orders them, by default Glorot's uniform ones.
class Network {
  constructor(units, activation, { weights, random }) {
    this.shapes = units.slice(1).flatMap((out, i) => [[units[i], out], [out]]);
    this.activation = ACTIVATIONS[activation];
    this.inputs = units[0];
    this.weights = weights ? weights.map((w) => Float32Array.from(w)) : this.shapes.map(([rows, columns]) => {
      if (columns === undefined) return new Float32Array(rows);
      const limit = Math.sqrt(6 / (rows + columns));
      return Float32Array.from({ length: rows * columns }, () => limit * (2 * random.uniform() - 1));
    });
  }

  tensors() {
    return this.weights.map((w, i) => tf.tensor(w, this.shapes[i]));
  }

  points(values) {
    return tf.tensor(values, [values.length / this.inputs, this.inputs]);
  }

  run(x, weights) {
    let y = x;
    for (let i = 0; i < weights.length; i += 2) {
      y = tf.add(tf.matMul(y, weights[i]), weights[i + 1]);
      if (i + 2 < weights.length) y = this.activation(y);
    }
    return y;
  }

  // Of plain numbers, plain numbers.
  apply(values) {
    return tf.tidy(() => this.run(this.points(values), this.tensors()).dataSync());
  }

  // One step down the gradient of `loss(weights)`, a scalar tensor; returns its value.
  minimize(loss, optimizer, rate) {
    const [value, gradients] = tf.tidy(() => {
      const { value: scalar, grads } = tf.valueAndGrads((...weights) => loss(weights))(this.tensors());
      return [scalar.dataSync()[0], grads.map((g) => g.dataSync())];
    });
    optimizer.step(this.weights, gradients, rate);
    return value;
  }

  finite() {
    return this.weights.every((w) => w.every(Number.isFinite));
  }
}

const zerosLike = (weights) => weights.map((w) => new Float32Array(w.length));

// m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, w <- w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + 1e-7)
class Adam {
  constructor(beta1 = 0.9, beta2 = 0.999) {
    Object.assign(this, { beta1, beta2, steps: 0, m: null, v: null });
  }

  step(weights, gradients, rate) {
    this.m ??= zerosLike(weights);
    this.v ??= zerosLike(weights);
    this.steps += 1;
    const scale = (rate * Math.sqrt(1 - this.beta2 ** this.steps)) / (1 - this.beta1 ** this.steps);
    weights.forEach((w, k) => {
      const g = gradients[k], m = this.m[k], v = this.v[k];
      for (let i = 0; i < w.length; i += 1) {
        m[i] += (1 - this.beta1) * (g[i] - m[i]);
        v[i] += (1 - this.beta2) * (g[i] * g[i] - v[i]);
        w[i] -= (scale * m[i]) / (Math.sqrt(v[i]) + 1e-7);
      }
    });
  }
}

// v <- rho v + (1 - rho) g^2, w <- w - rate g / sqrt(v + 1e-7)
class RMSprop {
  constructor(rho = 0.9) {
    Object.assign(this, { rho, v: null });
  }

  step(weights, gradients, rate) {
    this.v ??= zerosLike(weights);
    weights.forEach((w, k) => {
      const g = gradients[k], v = this.v[k];
      for (let i = 0; i < w.length; i += 1) {
        v[i] += (1 - this.rho) * (g[i] * g[i] - v[i]);
        w[i] -= (rate * g[i]) / Math.sqrt(v[i] + 1e-7);
      }
    });
  }
}

const criticLoss = (real, fake) => tf.sub(tf.mean(fake), tf.mean(real));
const criticGeneratorLoss = (fake) => tf.neg(tf.mean(fake));

// The losses of ganedu/models/gan.py, lsgan.py, wgan.py and wgan_gp.py, of D's outputs, and what each paper's optimizer
// is there.
const LOSSES = {
  gan: {
    discriminator: (real, fake) => tf.add(tf.mean(tf.softplus(tf.neg(real))), tf.mean(tf.softplus(fake))),
    generator: (fake) => tf.mean(tf.softplus(tf.neg(fake))),
    optimizer: () => new Adam(0.5),
  },
  lsgan: {
    discriminator: (real, fake) => tf.mul(0.5, tf.add(tf.mean(tf.square(tf.sub(real, 1))), tf.mean(tf.square(fake)))),
    generator: (fake) => tf.mul(0.5, tf.mean(tf.square(tf.sub(fake, 1)))),
    optimizer: () => new Adam(0.5),
  },
  wgan: {
    discriminator: criticLoss,
    generator: criticGeneratorLoss,
    optimizer: () => new RMSprop(),
    clipped: true,
  },
  wgan_gp: {
    discriminator: criticLoss,
    generator: criticGeneratorLoss,
    optimizer: () => new Adam(0, 0.9),
    penalized: true,
  },
};

// E[(||gradient of D at x_hat|| - 1)^2]
function gradientPenalty(discriminator, weights, between) {
  const gradients = tf.grad((x) => tf.sum(discriminator.run(x, weights)))(between);
  const norms = tf.sqrt(tf.add(tf.sum(tf.square(gradients), 1), 1e-12));
  return tf.mean(tf.square(tf.sub(norms, 1)));
}

// Two players and their losses, by name; `clip` is c, `penaltyWeight` is lambda. Points and latents are plain numbers.
class Gan {
  constructor(name, generator, discriminator) {
    Object.assign(this, { losses: LOSSES[name], generator, discriminator, clip: 0.05, penaltyWeight: 10 });
    this.optimizers = { d: this.losses.optimizer(), g: this.losses.optimizer() };
  }

  // A step of D on real points, latents, and for the penalty a number in [0, 1] for each point.
  dStep(x, z, epsilon, rate) {
    const { generator: G, discriminator: D, losses } = this;
    const loss = tf.tidy(() => {
      const real = D.points(x), fake = G.run(G.points(z), G.tensors());
      let between = null;
      if (losses.penalized) {
        const share = tf.tensor(epsilon, [epsilon.length, 1]);
        between = tf.add(tf.mul(share, real), tf.mul(tf.sub(1, share), fake));
      }
      return D.minimize((w) => {
        const plain = losses.discriminator(D.run(real, w), D.run(fake, w));
        return between ? tf.add(plain, tf.mul(this.penaltyWeight, gradientPenalty(D, w, between))) : plain;
      }, this.optimizers.d, rate);
    });
    if (losses.clipped) {
      for (const w of D.weights) w.forEach((v, i) => { w[i] = Math.min(Math.max(v, -this.clip), this.clip); });
    }
    return loss;
  }

  gStep(z, rate) {
    const { generator: G, discriminator: D, losses } = this;
    return tf.tidy(() => {
      const latents = G.points(z), fixed = D.tensors();
      return G.minimize((w) => losses.generator(D.run(G.run(latents, w), fixed)), this.optimizers.g, rate);
    });
  }

  // Where a generated point at each place would go: minus the gradient of its own loss of G.
  arrows(places) {
    return tf.tidy(() => {
      const D = this.discriminator, fixed = D.tensors(), count = places.length / 2;
      const field = tf.grad((x) => tf.mul(-count, this.losses.generator(D.run(x, fixed))));
      return field(D.points(places)).dataSync();
    });
  }
}
