// What a page makes of each case, by the kind of its program; in the scope of the page's scripts.

const made = {
  latent(model, { z, x, labels }) {
    const images = model.decode(Float32Array.from(z), labels);
    return model.networks.encode ? { images, copies: model.reconstruct(Float32Array.from(x), labels) } : { images };
  },
  style(model, { z }) {
    const w = model.map(Float32Array.from(z)), d = model.program.latent_dim;
    const copies = model.synthesize(w.slice(0, d), w.slice(d, 2 * d), 1);
    return { images: model.synthesize(model.truncated(w, 0.7)), copies };
  },
  denoise(model, { z, x, labels }) {
    const images = toTheEnd(model.denoise(Float32Array.from(z), { label: labels }));
    return model.networks.encode ? { images, copies: model.reconstruct(Float32Array.from(x)) } : { images };
  },
  text_flow(model, { z, x, texts }) {
    const tokens = model.tokens(texts);
    const beside = model.program.is_editor ? { beside: Float32Array.from(x) } : {};
    return { images: toTheEnd(model.denoise(Float32Array.from(z), { tokens, ...beside })), numbers: tokens.data };
  },
  text_latent(model, { z, texts, open }) {
    const tokens = model.tokens(texts), room = { ...model.program, length: 20 }, random = new Random(1);
    const full = open.map((text) => completed(text, room, random));
    return { images: model.decodeTexts(Float32Array.from(z), tokens), numbers: tokens.data, full };
  },
  translate: (model, { x }) => ({ images: model.translate(Float32Array.from(x)) }),
  vq(model, { codes, x, gumbel }) {
    const given = Int32Array.from(codes);
    return {
      images: model.decodeCodes(given),
      copies: model.reconstruct(Float32Array.from(x)),
      numbers: model.codeLogits(given, 3),
      drawn: toTheEnd(model.drawCodes(3, 0.8, (n, place, code) => gumbel[place][n][code])),
    };
  },
  pixels(model, { pixels, draws }) {
    const x = Float32Array.from(pixels), [h, w, channels] = model.program.image;
    const images = new Float32Array(x.length);
    for (let i = 0; i < h; i += 1) {
      const { data, shape } = model.rowParameters(x, 3, i)();
      for (let j = 0; j < w; j += 1) {
        for (let n = 0; n < 3; n += 1) {
          const [gumbel, logistic] = draws[i * w + j], from = (n * w + j) * shape[2];
          const noise = [(k) => gumbel[n][k], (c) => logistic[c][n]];
          const pixel = drawPixel(data, from, shape[2], channels, model.program.levels, ...noise);
          images.set(pixel, ((n * h + i) * w + j) * channels);
        }
      }
    }
    return { images };
  },
  captions(model, { x }) {
    const told = [0, 1, 2].map((n) => model.caption(Float32Array.from(x.slice(n * model.size, (n + 1) * model.size))));
    const looks = told.flatMap((t) => t.looks.slice(0, model.program.length - 2));
    return { words: told.map((t) => t.words.join(" ")), numbers: looks.flatMap((look) => [...look]) };
  },
};

window.done = {};
(async () => {
  window.backend = await tf.start();
  for (const given of JSON.parse(document.getElementById("data").textContent).cases) {
    try {
      const found = made[given.program.kind](new Model(given.program, given.weights), given);
      window.done[given.name] = Object.fromEntries(Object.entries(found).map(([k, v]) => [k, [...v]]));
    } catch (error) {
      window.done[given.name] = { error: `${error.message} ${error.stack}` };
    }
  }
  window.finished = true;
})();
