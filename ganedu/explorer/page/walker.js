// Walks an exported graph: its nodes in their order, each a layer or an operation.

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function fromFloat16(half) {
  const sign = half & 0x8000 ? -1 : 1, exponent = (half >> 10) & 31, fraction = half & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024);
}

// The weights of a page, tensors in the order in which they were exported.
function readWeights({ shapes, data }) {
  const view = new DataView(bytesOf(data).buffer);
  const table = Float32Array.from({ length: 65536 }, (_, half) => fromFloat16(half));
  let at = 0;
  return shapes.map((shape) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: count }, (_, i) => table[view.getUint16(2 * (at + i), true)]);
    at += count;
    return tf.tensor(values, shape);
  });
}

class Network {
  constructor(graph, weights) {
    this.outputs = graph.outputs;
    this.nodes = graph.nodes.map((node) => {
      const named = Object.entries(node.weights ?? {}).map(([name, i]) => [name, weights[i]]);
      const run = node.type.startsWith("ops.") ? OPERATIONS[node.type.slice(4)] : LAYERS[node.type];
      return { ...node, weights: Object.fromEntries(named), run };
    });
  }

  // Tensors in, a list of tensors out.
  call(inputs) {
    const values = [];
    for (const node of this.nodes) {
      if (node.type === "Input") {
        values.push([inputs[node.config.index]]);
        continue;
      }
      const args = resolved(node.args, values), kwargs = resolved(node.kwargs ?? {}, values);
      const value = node.run(args, node.config, node.weights, kwargs);
      values.push(Array.isArray(value) ? value : [value]);
    }
    return this.outputs.map(([node, output]) => values[node][output]);
  }

  // Arrays `{ data, shape }` in, arrays out; nothing is left in the backend's memory.
  predict(...inputs) {
    return tf.tidy(() => {
      const tensors = inputs.map(({ data, shape, dtype }) => tf.tensor(data, shape, dtype ?? "float32"));
      return this.call(tensors).map((y) => ({ data: y.dataSync(), shape: y.shape }));
    });
  }
}

function resolved(value, values) {
  if (Array.isArray(value)) return value.map((v) => resolved(v, values));
  if (value === null || typeof value !== "object" || value.slice || value.ellipsis) return value;
  if (value.ref) return values[value.ref[0]][value.ref[1]];
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolved(v, values)]));
}
