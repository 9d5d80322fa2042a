// Makes tfjs.min.js, the one file that `ganedu explain` puts into its pages, and tfjs.LICENSE.txt beside it.
//   npm ci && npm run build

import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";

const nodeOnly = ["crypto", "fs", "os", "path", "perf_hooks", "util", "worker_threads"];
const stub = {
  name: "stub",
  setup(b) {
    // Threads need headers that a file has not; Node's modules are never asked for in a browser.
    const unused = /threaded-simd(\.worker)?(\.js)?$/;
    b.onResolve({ filter: unused }, (a) => (/\.wasm$/.test(a.path) ? null : { path: a.path, namespace: "stub" }));
    b.onResolve({ filter: new RegExp(`^(${nodeOnly.join("|")})$`) }, (a) => ({ path: a.path, namespace: "stub" }));
    b.onLoad({ filter: /.*/, namespace: "stub" }, () => ({ contents: "module.exports = {};" }));
  },
};

await build({
  entryPoints: ["entry.mjs"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "tf",
  target: "es2020",
  loader: { ".wasm": "dataurl" },
  legalComments: "none",
  plugins: [stub],
  outfile: "tfjs.min.js",
});
const text = readFileSync("tfjs.min.js", "utf8");
if (/<\/script|<!--/i.test(text)) throw new Error("The bundle would end the script that it stands in");

const read = (name) => readFileSync(`node_modules/${name}`, "utf8");
const names = ["tfjs-core", "tfjs-backend-cpu", "tfjs-backend-wasm"];
const versions = names.map((name) => {
  const { version, license } = JSON.parse(read(`@tensorflow/${name}/package.json`));
  return `@tensorflow/${name} ${version} (${license})`;
});
const seedrandom = read("seedrandom/README.md").split("LICENSE (MIT)")[1].split("---\n").at(-1).trim();
const notice = `tfjs.min.js is made of ${versions.join(", ")}, copyright Google LLC,
of long.js (Apache-2.0), copyright Daniel Wirtz and contributors, both under the first of these licences,
and of seedrandom (MIT), under the second.
`;
writeFileSync("tfjs.LICENSE.txt", `${notice}\n${read("long/LICENSE").trim()}\n\n\n${seedrandom}\n`);
console.log(`${versions.join(", ")}: ${(text.length / 1e6).toFixed(2)} MB`);
