// What the pages need of TensorFlow.js: operations, the backends WASM (with SIMD) and CPU, and for those that train in
// the page the gradients of the operations of a dense network and its losses, and of their gradients.

import "@tensorflow/tfjs-core/dist/flags.js";
import "@tensorflow/tfjs-core/dist/platforms/platform_browser.js";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import wasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm";

export {
  add, cast, clipByValue, concat, conv1d, conv2d, conv2dTranspose, div, elu, engine, erf, exp, expandDims, fill, gather,
  getBackend, grad, leakyRelu, log, matMul, max, maximum, mean, minimum, mul, neg, notEqual, onesLike, pad,
  range, ready, relu, reshape, rsqrt, setBackend, sigmoid, slice, softmax, softplus, split, sqrt,
  square, stridedSlice, sub, sum, tanh, tensor, tidy, tile, transpose, valueAndGrads, where,
} from "@tensorflow/tfjs-core/dist/base.js";
export { resizeBilinear } from "@tensorflow/tfjs-core/dist/ops/image/resize_bilinear.js";
import { matMul, mul, ready, registerGradient, setBackend, step, transpose } from "@tensorflow/tfjs-core/dist/base.js";
import { addGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Add_grad.js";
import { castGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Cast_grad.js";
import { identityGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Identity_grad.js";
import { meanGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Mean_grad.js";
import { multiplyGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Multiply_grad.js";
import { negGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Neg_grad.js";
import { divGradConfig } from "@tensorflow/tfjs-core/dist/gradients/RealDiv_grad.js";
import { reshapeGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Reshape_grad.js";
import { stepGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Step_grad.js";
import { sigmoidGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Sigmoid_grad.js";
import { softplusGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Softplus_grad.js";
import { sqrtGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Sqrt_grad.js";
import { squareGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Square_grad.js";
import { subGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Sub_grad.js";
import { sumGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Sum_grad.js";
import { transposeGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Transpose_grad.js";

for (const gradient of [
  addGradConfig, castGradConfig, divGradConfig, identityGradConfig, meanGradConfig, multiplyGradConfig,
  negGradConfig, reshapeGradConfig, sigmoidGradConfig, softplusGradConfig, sqrtGradConfig, squareGradConfig,
  stepGradConfig, subGradConfig, sumGradConfig, transposeGradConfig,
]) registerGradient(gradient);
// Of two matrices that stand as they are. TensorFlow.js's own asks for products of transposed ones, which WASM
// computes several times slower.
registerGradient({
  kernelName: "BatchMatMul",
  inputsToSave: ["a", "b"],
  gradFunc: (dy, [a, b]) => ({ a: () => matMul(dy, transpose(b)), b: () => matMul(transpose(a), dy) }),
});
// As TensorFlow.js's own, without a comparison with 0, which is slow, too.
registerGradient({
  kernelName: "LeakyRelu",
  inputsToSave: ["x"],
  gradFunc: (dy, [x], { alpha }) => ({ x: () => mul(dy, step(x, alpha)) }),
});

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
