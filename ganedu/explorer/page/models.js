// The models of a page: a program and its networks, and for each kind how images are made. `images` are Float32Array of
// N images (H, W, C) in [-1, 1], one after the other.

class Model {
  constructor(program, weights) {
    const tensors = readWeights(weights);
    this.program = program;
    this.size = program.image.reduce((a, b) => a * b, 1);
    this.networks = Object.fromEntries(
      Object.entries(program.networks).map(([name, graph]) => [name, new Network(graph, tensors)]),
    );
  }

  // One-hot labels of N images, all of the class `label` or each of its own.
  labels(label, count) {
    const k = this.program.classes, y = new Float32Array(count * k);
    for (let i = 0; i < count; i += 1) {
      const c = Array.isArray(label) ? label[i] : label;
      if (c !== null && c !== undefined && c >= 0) y[i * k + c] = 1;
    }
    return { data: y, shape: [count, k] };
  }

  withLabels(input, label) {
    return this.program.classes ? [input, this.labels(label, input.shape[0])] : [input];
  }

  // Latents (N, d), one after the other, to images.
  decode(z, label = 0) {
    const d = this.program.latent_dim, input = { data: z, shape: [z.length / d, d] };
    if (this.program.kind === "style") return this.synthesize(this.truncated(this.map(z), 1));
    return this.networks.sample.predict(...this.withLabels(input, label))[0].data;
  }

  // Images to codes.
  encode(x, label = 0) {
    const input = { data: x, shape: [x.length / this.size, ...this.program.image] };
    return this.networks.encode.predict(...this.withLabels(input, label))[0];
  }

  // Images to what comes back.
  reconstruct(x, label = 0) {
    const codes = this.encode(x, label);
    if (this.program.kind === "vq") return this.decodeCodes(this.quantized(codes));
    if (this.program.kind === "denoise") return clippedImages(this.networks.decode.predict(codes)[0].data);
    return this.decode(codes.data, label);
  }

  // StyleGAN: z to w, w to styles, styles to images.
  map(z) {
    const d = this.program.latent_dim;
    return this.networks.mapping.predict({ data: z, shape: [z.length / d, d] })[0].data;
  }

  truncated(w, psi) {
    const { w_avg: mean } = this.program;
    return Float32Array.from(w, (v, i) => mean[i % mean.length] + psi * (v - mean[i % mean.length]));
  }

  // Images with the styles of `w` (N, d), from the layer `crossover` on with those of `fine`.
  synthesize(w, fine = w, crossover = 0) {
    const { depth, latent_dim: d } = this.program, count = w.length / d;
    const styles = new Float32Array(count * depth * d);
    for (let n = 0; n < count; n += 1) {
      for (let layer = 0; layer < depth; layer += 1) {
        const from = layer < crossover ? w : fine;
        styles.set(from.subarray(n * d, (n + 1) * d), (n * depth + layer) * d);
      }
    }
    return this.networks.synthesis.predict({ data: styles, shape: [count, depth, d] })[0].data;
  }

  // What a denoising network sees in x at the time t, with guidance.
  seenBy(count, { label, guidance, tokens, beside }) {
    const { program } = this, text = program.kind === "text_flow";
    const ask = (x, t, condition) => {
      const noise = text ? program.image : program.noise_shape;
      const data = beside ? concatenated(x, beside, noise.at(-1)) : Float32Array.from(x);
      const channels = beside ? 2 * noise.at(-1) : noise.at(-1);
      const inputs = [
        { data, shape: [count, ...noise.slice(0, -1), channels] },
        { data: new Float32Array(count).fill(t), shape: [count] },
        ...(condition ? [condition] : []),
      ];
      return this.networks.denoiser.predict(...inputs)[0].data;
    };
    const guided = (x, t, condition, nothing) => {
      if (!condition) return ask(x, t);
      if (guidance === 1 && !text) return ask(x, t, condition);
      const without = ask(x, t, nothing);
      if (guidance === 0) return without;
      const withIt = ask(x, t, condition);
      return Float64Array.from(without, (v, i) => v + guidance * (withIt[i] - v));
    };
    if (text) {
      const nothing = this.tokens([""], count);
      return (x, t) => clipped(guided(x, t, tokens, nothing));
    }
    const condition = program.classes ? this.labels(label, count) : null;
    const nothing = program.classes ? this.labels(null, count) : null;
    return (x, t) => {
      const y = guided(x, t, condition, nothing);
      const image = this.imageFrom(y, x, t);
      return program.clip ? clipped(image) : Float64Array.from(image);
    };
  }

  // What follows from the network's output for the image.
  imageFrom(y, x, t) {
    const { prediction, alpha_bar: alphaBar } = this.program;
    if (prediction === "velocity") return x.map((v, i) => v + (1 - t) * y[i]);
    if (prediction === "noise") {
      const a = alphaBar[rint(t * (alphaBar.length - 1))];
      return x.map((v, i) => (v - Math.sqrt(1 - a) * y[i]) / Math.sqrt(a));
    }
    return y;
  }

  // Noise to images, a generator: yields `{ x, seen, step, steps }`, returns the images.
  *denoise(z, options) {
    const { program } = this, steps = options.steps ?? program.steps, text = program.kind === "text_flow";
    const count = z.length / program.latent_dim;
    const guidance = options.guidance ?? program.guidance;
    const predict = this.seenBy(count, { ...options, guidance });
    if (text) {
      const temperature = options.temperature ?? program.temperature;
      return Float32Array.from(yield* flow(predict, Float64Array.from(z, (v) => temperature * v), steps, program.shift, 1));
    }
    const x = Float64Array.from(z);
    const way =
      program.process === "diffusion"
        ? dpmSolver(predict, x, steps, program.alpha_bar)
        : flow(predict, x, steps, program.shift, program.sampler === "heun" ? 2 : 1);
    return this.finish(yield* way);
  }

  // What sampling has come to, as images.
  finish(x) {
    if (!this.networks.decode) return clippedImages(x);
    const { noise_shape: noise, scale } = this.program;
    const codes = { data: Float32Array.from(x, (v) => v * scale) };
    codes.shape = [x.length / noise.reduce((a, b) => a * b, 1), ...noise];
    return clippedImages(this.networks.decode.predict(codes)[0].data);
  }

  // Texts to the numbers of their words: `{ data, shape, dtype }`; unknown words throw them as `words`.
  tokens(texts, count = texts.length) {
    const { vocabulary, length } = this.program, data = new Int32Array(count * length);
    for (let i = 0; i < count; i += 1) {
      const words = wordsOf(texts[i % texts.length]);
      const unknown = words.filter((word) => vocabulary.indexOf(word) < 4);
      if (unknown.length) throw Object.assign(new Error("unknown words"), { words: [...new Set(unknown)] });
      if (words.length > length - 2) throw Object.assign(new Error("too long"), { most: length - 2 });
      data.set([1, ...words.map((word) => vocabulary.indexOf(word)), 2], i * length);
    }
    return { data, shape: [count, length], dtype: "int32" };
  }

  // Latents and texts to images, of a model in one step.
  decodeTexts(z, tokens) {
    const d = this.program.latent_dim;
    return this.networks.sample.predict({ data: z, shape: [z.length / d, d] }, tokens)[0].data;
  }

  translate(x) {
    const { source } = this.program, size = source.reduce((a, b) => a * b, 1);
    return this.networks.translate.predict({ data: x, shape: [x.length / size, ...source] })[0].data;
  }

  // A map (N, h, w, d) to the nearest codes, Int32Array.
  quantized({ data }) {
    const { codebook } = this.program, d = codebook[0].length;
    return Int32Array.from({ length: data.length / d }, (_, n) => {
      const far = codebook.map((e) => e.reduce((sum, v, i) => sum + (v - data[n * d + i]) ** 2, 0));
      return far.indexOf(Math.min(...far));
    });
  }

  decodeCodes(codes) {
    const { codebook, grid } = this.program, d = codebook[0].length;
    const data = new Float32Array(codes.length * d);
    codes.forEach((code, n) => data.set(codebook[code], n * d));
    const count = codes.length / (grid[0] * grid[1]);
    return clippedImages(this.networks.decode.predict({ data, shape: [count, ...grid, d] })[0].data);
  }

  // The prior's logits (N, L, K) of codes (N, L), those before each place.
  codeLogits(codes, count) {
    const { codebook, grid } = this.program, length = grid[0] * grid[1];
    const before = new Int32Array(count * length);
    for (let n = 0; n < count; n += 1) {
      before.set([codebook.length, ...codes.subarray(n * length, (n + 1) * length - 1)], n * length);
    }
    return this.networks.prior.predict({ data: before, shape: [count, length], dtype: "int32" })[0].data;
  }

  // Codes one by one: yields them so far, returns them. `gumbel(n, place, code)` is the noise of the draws.
  *drawCodes(count, temperature, gumbel) {
    const { codebook, grid } = this.program, length = grid[0] * grid[1], k = codebook.length;
    const codes = new Int32Array(count * length);
    for (let place = 0; place < length; place += 1) {
      const logits = this.codeLogits(codes, count);
      for (let n = 0; n < count; n += 1) {
        const row = n * length + place;
        codes[row] = largest(logits, row * k, k, temperature, (code) => gumbel(n, place, code));
      }
      yield codes;
    }
    return codes;
  }

  // What the pixels of row i are drawn from, given the images so far: parameters (N, W, P), and a function to ask anew.
  rowParameters(x, count, i) {
    const [h, w, c] = this.program.image;
    const above = this.networks.vertical.predict({ data: x, shape: [count, h, w, c] })[0];
    const width = above.shape[3], own = new Float32Array(count * w * width);
    for (let n = 0; n < count; n += 1) {
      own.set(above.data.subarray((n * h + i) * w * width, (n * h + i + 1) * w * width), n * w * width);
    }
    return () => {
      const row = new Float32Array(count * w * c);
      for (let n = 0; n < count; n += 1) row.set(x.subarray((n * h + i) * w * c, (n * h + i + 1) * w * c), n * w * c);
      return this.networks.horizontal.predict(
        { data: row, shape: [count, w, c] },
        { data: own, shape: [count, w, width] },
      )[0];
    };
  }

  // Images pixel by pixel: yields them so far after each row, returns them. `random` draws.
  *drawPixels(count, random) {
    const [h, w, c] = this.program.image, x = new Float32Array(count * h * w * c);
    for (let i = 0; i < h; i += 1) {
      const ask = this.rowParameters(x, count, i);
      for (let j = 0; j < w; j += 1) {
        const { data, shape } = ask();
        for (let n = 0; n < count; n += 1) {
          const draw = [(n * w + j) * shape[2], shape[2], c, this.program.levels];
          x.set(drawPixel(data, ...draw, () => random.gumbel(), () => random.logistic()), ((n * h + i) * w + j) * c);
        }
      }
      yield x;
    }
    return x;
  }

  // The words of an image one by one, the likeliest each time: `{ words, looks }`, looks of each word (h w).
  caption(x) {
    const { vocabulary, length } = this.program;
    const places = this.encode(x), tokens = new Int32Array(length - 1), words = [], looks = [];
    tokens[0] = 1;
    for (let t = 0; t < length - 1; t += 1) {
      const input = { data: tokens, shape: [1, length - 1], dtype: "int32" };
      const [logits, weights] = this.networks.decode.predict(places, input);
      const word = largest(logits.data, t * vocabulary.length, vocabulary.length, 1, () => 0);
      const size = weights.shape[2];
      if (word === 2) break;
      words.push(vocabulary[word]);
      looks.push(weights.data.slice(t * size, (t + 1) * size));
      if (t + 1 < length - 1) tokens[t + 1] = word;
    }
    return { words, looks, grid: places.shape.slice(1, 3) };
  }
}

const clippedImages = (x) => Float32Array.from(x, clip);

// Two stacks of images with `channels` each, side by side in their channels.
function concatenated(a, b, channels) {
  const y = new Float32Array(2 * a.length);
  for (let i = 0; i < a.length / channels; i += 1) {
    for (let c = 0; c < channels; c += 1) {
      y[2 * i * channels + c] = a[i * channels + c];
      y[(2 * i + 1) * channels + c] = b[i * channels + c];
    }
  }
  return y;
}

// The last value of a generator that is run to its end.
function toTheEnd(steps) {
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
  }
}
