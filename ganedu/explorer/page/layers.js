// The layers of Keras and of ganedu, in inference. Each takes its arguments `args`, its configuration, its weights by
// name and its keyword arguments, and returns one tensor, or a list of them.

const activated = (x, { activation = "linear" }) => ACTIVATIONS[activation](x);
const withBias = (x, w) => (w.bias ? tf.add(x, w.bias) : x);

function dense(x, kernel) {
  const [units] = kernel.shape.slice(-1);
  const flat = tf.matMul(tf.reshape(x, [-1, x.shape.at(-1)]), kernel);
  return tf.reshape(flat, [...x.shape.slice(0, -1), units]);
}

function padded(x, pairs) {
  return tf.pad(x, [[0, 0], ...pairs, [0, 0]]);
}

function cropped(x, pairs) {
  const cut = [[0, 0], ...pairs, [0, 0]];
  return tf.slice(x, cut.map(([before]) => before), x.shape.map((n, i) => n - cut[i][0] - cut[i][1]));
}

function convolved2d(x, kernel, w, c) {
  return activated(withBias(tf.conv2d(x, kernel, c.strides, c.padding, "NHWC", c.dilation_rate), w), c);
}

function convolved1d(x, w, c) {
  const [stride] = c.strides, [dilation] = c.dilation_rate;
  const causal = c.padding === "causal";
  if (causal) x = padded(x, [[(w.kernel.shape[0] - 1) * dilation, 0]]);
  const y = tf.conv1d(x, w.kernel, stride, causal ? "valid" : c.padding, "NWC", dilation);
  return activated(withBias(y, w), c);
}

function transposed2d(x, w, c) {
  const [height, width, filters] = w.kernel.shape;
  const side = (n, stride, kernel) => n * stride + (c.padding === "same" ? 0 : Math.max(kernel - stride, 0));
  const shape = [x.shape[0], side(x.shape[1], c.strides[0], height), side(x.shape[2], c.strides[1], width), filters];
  return activated(withBias(tf.conv2dTranspose(x, w.kernel, shape, c.strides, c.padding), w), c);
}

// (x - mean) / sqrt(variance + epsilon) over the axes, then gamma and beta.
function normalized(x, over, epsilon) {
  const centred = tf.sub(x, tf.mean(x, over, true));
  return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.mul(centred, centred), over, true), epsilon)));
}

function scaled(x, w) {
  if (w.gamma) x = tf.mul(x, w.gamma);
  return w.beta ? tf.add(x, w.beta) : x;
}

function groupNormalized(x, w, c) {
  const channels = x.shape.at(-1), groups = c.groups < 0 ? channels : c.groups;
  const flat = tf.reshape(x, [x.shape[0], -1, groups, channels / groups]);
  return scaled(tf.reshape(normalized(flat, [1, 3], c.epsilon), x.shape), w);
}

function enlarged(x, { size: [rows, columns], interpolation }) {
  const [n, h, w, channels] = x.shape;
  if (interpolation === "bilinear") return tf.resizeBilinear(x, [h * rows, w * columns], false, true);
  const wide = tf.tile(tf.reshape(x, [n * h, w, 1, channels]), [1, 1, columns, 1]);
  const high = tf.tile(tf.reshape(wide, [n, h, 1, w * columns * channels]), [1, 1, rows, 1]);
  return tf.reshape(high, [n, h * rows, w * columns, channels]);
}

function attention([query, value, key = value], c, w, { attention_mask, use_causal_mask, return_attention_scores }) {
  const [n, length] = query.shape, places = value.shape[1];
  const project = (x, name) => {
    const kernel = w[`${name}/kernel`], [width, heads, dim] = kernel.shape;
    let y = dense(x, tf.reshape(kernel, [width, heads * dim]));
    if (w[`${name}/bias`]) y = tf.add(y, tf.reshape(w[`${name}/bias`], [heads * dim]));
    return tf.transpose(tf.reshape(y, [n, x.shape[1], heads, dim]), [0, 2, 1, 3]); // (B, heads, L, dim)
  };
  const q = tf.mul(project(query, "query"), 1 / Math.sqrt(c.key_dim));
  let scores = tf.matMul(q, project(key, "key"), false, true); // (B, heads, L, S)
  if (attention_mask) {
    const hidden = tf.mul(tf.sub(1, attention_mask), -1e9); // (B, L or 1, S)
    scores = tf.add(scores, tf.expandDims(hidden, 1));
  }
  if (use_causal_mask) {
    const later = Float32Array.from({ length: length * places }, (_, i) => (i % places > Math.floor(i / places) ? -1e9 : 0));
    scores = tf.add(scores, tf.tensor(later, [1, 1, length, places]));
  }
  scores = tf.softmax(scores);
  const kernel = w["output/kernel"], [heads, dim, width] = kernel.shape;
  const mixed = tf.transpose(tf.matMul(scores, project(value, "value")), [0, 2, 1, 3]);
  let y = dense(tf.reshape(mixed, [n, length, heads * dim]), tf.reshape(kernel, [heads * dim, width]));
  if (w["output/bias"]) y = tf.add(y, w["output/bias"]);
  return return_attention_scores ? [y, scores] : y;
}

function maskedConvolved(x, c, w) {
  const [height, width] = w.kernel.shape, middle = Math.floor(height / 2);
  const seen = Float32Array.from({ length: height * width }, (_, i) => {
    const row = Math.floor(i / width), column = i % width;
    return row < middle || (row === middle && column < Math.floor(width / 2) + (c.mask === "B" ? 1 : 0)) ? 1 : 0;
  });
  return convolved2d(x, tf.mul(w.kernel, tf.tensor(seen, [height, width, 1, 1])), w, c);
}

function modulated([x, style], c, w) {
  const s = tf.add(tf.matMul(style, w["affine/kernel"]), w["affine/bias"]); // (B, C)
  const wide = (a) => tf.reshape(a, [a.shape[0], 1, 1, a.shape[1]]);
  let y = tf.conv2d(tf.mul(x, wide(s)), w.kernel, 1, "same");
  if (c.demodulate) {
    const squares = tf.sum(tf.mul(w.kernel, w.kernel), [0, 1]); // (C, filters)
    y = tf.mul(y, wide(tf.rsqrt(tf.add(tf.matMul(tf.mul(s, s), squares), 1e-8))));
  }
  return tf.add(y, w.bias);
}

function squeezed(x) {
  const [n, h, w, c] = x.shape;
  const cut = tf.transpose(tf.reshape(x, [n * (h / 2), 2, w / 2, 2 * c]), [0, 2, 1, 3]);
  return tf.reshape(cut, [n, h / 2, w / 2, 4 * c]);
}

function unsqueezed(x) {
  const [n, h, w, c] = x.shape;
  const cut = tf.transpose(tf.reshape(x, [n * h, w, 2, c / 2]), [0, 2, 1, 3]);
  return tf.reshape(cut, [n, 2 * h, 2 * w, c / 4]);
}

// The affine coupling of RealNVP, one way or the other; its log-determinant is left out: nothing here reads it.
function coupling([x], c, w, { inverse = false }) {
  const [, height, width, channels] = x.shape;
  const board = c.mask === "checkerboard";
  const kept = Float32Array.from({ length: height * width * channels }, (_, i) => {
    const channel = i % channels, place = Math.floor(i / channels);
    const row = Math.floor(place / width), column = place % width;
    const half = board ? (row + column) % 2 : channel < Math.floor(channels / 2) ? 1 : 0;
    return half === c.parity ? 1 : 0;
  });
  const b = tf.tensor(kept, [1, height, width, channels]);
  const squeezes = board && height % 2 === 0 && width % 2 === 0;
  let h = tf.mul(b, x);
  if (squeezes) h = squeezed(h);
  for (const i of [0, 1, 2]) {
    h = tf.add(tf.conv2d(h, w[`${i}/kernel`], 1, "same"), w[`${i}/bias`]);
    if (i < 2) h = tf.relu(h);
  }
  let [s, t] = tf.split(h, 2, 3);
  if (squeezes) [s, t] = [unsqueezed(s), unsqueezed(t)];
  const rest = tf.sub(1, b);
  s = tf.mul(rest, tf.mul(w.scale, tf.tanh(s)));
  t = tf.mul(rest, t);
  const y = inverse ? tf.mul(tf.sub(x, t), tf.exp(tf.neg(s))) : tf.add(tf.mul(x, tf.exp(s)), t);
  return [y, tf.sum(s, [1, 2, 3])];
}

// Gregor's write: patches (B, S, P, P, C), each put where (B, S, 3) says, and added up.
function drawWrite([patches, where], c) {
  const [n, s, p, , channels] = patches.shape;
  const filters = (size, at, scale) => {
    const places = tf.tensor(Float32Array.from({ length: p }, (_, i) => i - (p - 1) / 2), [1, 1, p]);
    const rows = tf.tensor(Float32Array.from({ length: size }, (_, i) => i), [1, size, 1]);
    const stride = tf.mul(tf.exp(tf.tanh(scale)), (0.6 * size) / p); // (B S, 1, 1)
    const centre = tf.mul(tf.add(tf.tanh(at), 1), (size - 1) / 2);
    const away = tf.sub(rows, tf.add(centre, tf.mul(stride, places)));
    const ratio = tf.div(away, tf.mul(stride, 0.6));
    return tf.div(tf.exp(tf.mul(tf.mul(ratio, ratio), -0.5)), 0.6 * Math.sqrt(2 * Math.PI)); // (B S, size, P)
  };
  const [v, h, scale] = tf.split(tf.reshape(where, [n * s, 3]), 3, 1).map((a) => tf.reshape(a, [n * s, 1, 1]));
  const across = tf.transpose(tf.reshape(patches, [n * s, p, p, channels]), [0, 2, 1, 3]); // (B S, Q, P, C)
  const wide = tf.matMul(filters(c.width, h, scale), tf.reshape(across, [n * s, p, p * channels]));
  const turned = tf.transpose(tf.reshape(wide, [n * s, c.width, p, channels]), [0, 2, 1, 3]);
  const written = tf.matMul(filters(c.height, v, scale), tf.reshape(turned, [n * s, p, c.width * channels]));
  return tf.sum(tf.reshape(written, [n, s, c.height, c.width, channels]), 1);
}

function sinusoidal([t], { dim, highest }) {
  const half = dim / 2;
  const turns = Float32Array.from({ length: half }, (_, i) => 2 * Math.PI * Math.exp((Math.log(highest) * i) / (half - 1)));
  // Sines are JavaScript's own: exact for many turns.
  const times = tf.cast(t, "float32").dataSync(), y = new Float32Array(times.length * dim);
  times.forEach((time, n) => {
    turns.forEach((turn, i) => {
      const angle = Math.fround(turn * time);
      y[n * dim + i] = Math.sin(angle);
      y[n * dim + half + i] = Math.cos(angle);
    });
  });
  return tf.tensor(y, [times.length, dim]);
}

const LAYERS = {
  Activation: ([x], c) => activated(x, c),
  BatchNormalization: ([x], c, w) =>
    scaled(tf.mul(tf.sub(x, w.moving_mean), tf.rsqrt(tf.add(w.moving_variance, c.epsilon))), w),
  Concatenate: ([xs], { axis }) => tf.concat(xs, axis < 0 ? axis + xs[0].rank : axis),
  Conv1D: ([x], c, w) => convolved1d(x, w, c),
  Conv2D: ([x], c, w) => convolved2d(x, w.kernel, w, c),
  Conv2DTranspose: ([x], c, w) => transposed2d(x, w, c),
  Cropping1D: ([x], c) => cropped(x, [c.cropping]),
  Cropping2D: ([x], c) => cropped(x, c.cropping),
  Dense: ([x], c, w) => activated(withBias(dense(x, w.kernel), w), c),
  Dropout: ([x]) => x,
  Embedding: ([x], c, w) => tf.gather(w.embeddings, tf.cast(x, "int32")),
  Flatten: ([x]) => tf.reshape(x, [x.shape[0], -1]),
  GroupNormalization: ([x], c, w) => groupNormalized(x, w, c),
  LayerNormalization: ([x], c, w) => scaled(normalized(x, [x.rank - 1], c.epsilon), w),
  LeakyReLU: ([x], c) => tf.leakyRelu(x, c.negative_slope),
  MultiHeadAttention: attention,
  Permute: ([x], c) => tf.transpose(x, [0, ...c.dims]),
  RMSNormalization: ([x], c, w) =>
    tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.mul(x, x), [x.rank - 1], true), c.epsilon))), w.scale),
  ReLU: ([x], c) => (c.negative_slope ? tf.leakyRelu(x, c.negative_slope) : tf.relu(x)),
  Reshape: ([x], c) => tf.reshape(x, [x.shape[0], ...c.target_shape]),
  UpSampling2D: ([x], c) => enlarged(x, c),
  ZeroPadding1D: ([x], c) => padded(x, [c.padding]),
  ZeroPadding2D: ([x], c) => padded(x, c.padding),
  AffineCoupling: coupling,
  ConstantInput: ([x], c, w) => tf.tile(w.constant, [x.shape[0], 1, 1, 1]),
  DRAWWrite: ([both], c) => drawWrite(both, c),
  EqualizedDense: ([x], c, w) => {
    const gain = c.multiplier * Math.sqrt(2 / x.shape.at(-1));
    return tf.add(tf.matMul(x, tf.mul(w.kernel, gain)), tf.mul(w.bias, c.multiplier));
  },
  MaskedConv2D: ([x], c, w) => maskedConvolved(x, c, w),
  ModulatedConv2D: ([both], c, w) => modulated(both, c, w),
  NoiseInjection: ([x]) => x,
  PositionEmbedding: ([x], c, w) => tf.add(x, w.embedding),
  SinusoidalEmbedding: sinusoidal,
};
