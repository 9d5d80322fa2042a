// Operations of Keras (`keras.ops`), with those of TensorFlow.js. Each takes the node's arguments and its configuration.
// Booleans are float32, 0 or 1.

const asBool = (x) => tf.cast(x, "bool");
const axes = (axis) => (axis === null || axis === undefined ? undefined : axis);

function getItem(x, key) {
  const keys = Array.isArray(key) ? key : [key];
  const named = keys.filter((k) => k !== null && !k.ellipsis).length;
  const begin = [], size = [], shape = [];
  let axis = 0;
  const whole = () => {
    begin.push(0);
    size.push(x.shape[axis]);
    shape.push(x.shape[axis]);
    axis += 1;
  };
  for (const k of keys) {
    if (k === null) {
      shape.push(1);
    } else if (k.ellipsis) {
      for (let rest = x.rank - named; rest > 0; rest -= 1) whole();
    } else if (k.slice) {
      const [start, stop, step] = k.slice;
      if (step !== null && step !== 1) throw new Error("A slice with a step");
      const length = x.shape[axis];
      const at = (i, absent) => (i === null ? absent : Math.min(Math.max(i < 0 ? i + length : i, 0), length));
      const first = at(start, 0), count = Math.max(at(stop, length) - first, 0);
      begin.push(first);
      size.push(count);
      shape.push(count);
      axis += 1;
    } else {
      begin.push(k < 0 ? k + x.shape[axis] : k);
      size.push(1);
      axis += 1;
    }
  }
  while (axis < x.rank) whole();
  return tf.reshape(tf.slice(x, begin, size), shape);
}

function split(x, where, axis) {
  const at = axis < 0 ? axis + x.rank : axis;
  if (typeof where === "number") return tf.split(x, where, at);
  const ends = [0, ...where, x.shape[at]];
  return tf.split(x, ends.slice(1).map((end, i) => end - ends[i]), at);
}

function repeat(x, repeats, axis) {
  const wide = tf.expandDims(x, axis + 1);
  const times = wide.shape.map((_, i) => (i === axis + 1 ? repeats : 1));
  return tf.reshape(tf.tile(wide, times), x.shape.map((n, i) => (i === axis ? n * repeats : n)));
}

const OPERATIONS = {
  Add: ([a, b]) => tf.add(a, b),
  Cast: ([x], { dtype }) => (/^u?int/.test(dtype) ? tf.cast(x, "int32") : tf.cast(x, "float32")),
  Clip: ([x], { x_min, x_max }) => tf.clipByValue(x, x_min, x_max),
  Concatenate: ([xs], { axis }) => tf.concat(xs, axis < 0 ? axis + xs[0].rank : axis),
  Exp: ([x]) => tf.exp(x),
  ExpandDims: ([x], { axis }) => tf.expandDims(x, axis < 0 ? axis + x.rank + 1 : axis),
  GetItem: ([x, key]) => getItem(x, key),
  Log: ([x]) => tf.log(x),
  Max: ([x], { axis, keepdims }) => tf.max(x, axes(axis), keepdims),
  Maximum: ([a, b]) => tf.maximum(a, b),
  Mean: ([x], { axis, keepdims }) => tf.mean(x, axes(axis), keepdims),
  Minimum: ([a, b]) => tf.minimum(a, b),
  Multiply: ([a, b]) => tf.mul(a, b),
  NotEqual: ([a, b]) => tf.cast(tf.notEqual(tf.cast(a, "float32"), b), "float32"),
  OnesLike: ([x]) => tf.onesLike(x),
  Repeat: ([x], { repeats, axis }) => repeat(x, repeats, axis),
  Reshape: ([x], { newshape }) => tf.reshape(x, newshape),
  Rsqrt: ([x]) => tf.rsqrt(x),
  Sigmoid: ([x]) => tf.sigmoid(x),
  Split: ([x], { indices_or_sections, axis }) => split(x, indices_or_sections, axis),
  Sqrt: ([x]) => tf.sqrt(x),
  Square: ([x]) => tf.mul(x, x),
  Subtract: ([a, b]) => tf.sub(a, b),
  Sum: ([x], { axis, keepdims }) => tf.sum(x, axes(axis), keepdims),
  Tanh: ([x]) => tf.tanh(x),
  Transpose: ([x], { axes: order }) => tf.transpose(x, order ?? undefined),
  TrueDivide: ([a, b]) => tf.div(a, b),
  Where: ([condition, a, b]) => tf.where(asBool(condition), a, b),
};

const ACTIVATIONS = {
  linear: (x) => x,
  relu: (x) => tf.relu(x),
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  softplus: (x) => tf.softplus(x),
  exponential: (x) => tf.exp(x),
  elu: (x) => tf.elu(x),
};
