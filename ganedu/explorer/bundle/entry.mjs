// What the page needs of TensorFlow.js: operations, and the backends WASM (with SIMD) and CPU.

import "@tensorflow/tfjs-core/dist/flags.js";
import "@tensorflow/tfjs-core/dist/platforms/platform_browser.js";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import wasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm";

export {
  add, cast, clipByValue, concat, conv1d, conv2d, conv2dTranspose, div, elu, engine, erf, exp, expandDims, fill, gather,
  getBackend, leakyRelu, log, matMul, max, maximum, mean, minimum, mul, neg, notEqual, onesLike, pad,
  range, ready, relu, reshape, rsqrt, setBackend, sigmoid, slice, softmax, softplus, split, sqrt,
  square, stridedSlice, sub, sum, tanh, tensor, tidy, tile, transpose, where,
} from "@tensorflow/tfjs-core/dist/base.js";
export { resizeBilinear } from "@tensorflow/tfjs-core/dist/ops/image/resize_bilinear.js";
import { ready, setBackend } from "@tensorflow/tfjs-core/dist/base.js";

// The name of the backend that was started: "wasm", or where that is not possible "cpu".
export async function start(wanted = "wasm") {
  const names = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);
  setWasmPaths(Object.fromEntries(names.map((name) => [name, wasm])));
  for (const name of [wanted, "cpu"]) {
    try {
      if (await setBackend(name)) {
        await ready();
        return name;
      }
    } catch {
      // The next one.
    }
  }
  throw new Error("No backend of TensorFlow.js starts here");
}
