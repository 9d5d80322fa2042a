// Models that decode a latent in one step: GANs, autoencoders, flows, StyleGAN.

function latentPage(model, examples, real) {
  const { program } = model, { latent_dim: d } = program;
  let seed = 1, label = 0, psi = 1;
  const neighbours = program.classes ? real?.ofClass(() => label) : real;
  let base = new Random(seed).latent(program);
  const moved = (program.directions ?? []).map(() => 0);
  const decode = (z) => {
    if (program.kind === "style") return model.synthesize(model.truncated(model.map(z), psi));
    return model.decode(z, z.length > d ? new Array(z.length / d).fill(label) : label);
  };
  const here = () => {
    const z = Float32Array.from(base);
    moved.forEach((amount, k) => {
      for (let i = 0; i < d; i += 1) z[i] += amount * program.scales[k] * program.directions[k][i];
    });
    return z;
  };
  const shown = picture(program.image, say("sample"));
  window.ganedu.latent = here;
  const nearest = nearestPart(neighbours);
  const refresh = once(() => {
    const image = decode(here());
    shown.show(image);
    nearest.show(image);
  });
  const also = [];
  const again = () => { refresh(); also.forEach((f) => f()); };
  const sliders = moved.map((_, k) =>
    slider(`${say("direction")} ${k + 1}`, { min: -3, max: 3, step: 0.05, value: 0 }, (v) => { moved[k] = v; refresh(); }),
  );
  const reset = () => { moved.fill(0); sliders.forEach((s) => s.set(0)); refresh(); };
  const codes = program.prior.name === "infogan" ? codeControls(program, () => base, refresh) : null;
  const another = () => { seed += 1; base = new Random(seed).latent(program); codes?.show(); reset(); };
  const classes = classChoice(program, (i) => { label = i; again(); });
  const truncation = program.kind !== "style" ? null
    : slider(say("psi"), { min: 0, max: 1.2, step: 0.02, value: 1 }, (v) => { psi = v; again(); });
  const top = element("div", { className: "stage" },
    shown.canvas,
    element("div", {},
      group(button("another", another), moved.length ? button("reset", reset) : null),
      classes?.control ?? null,
      truncation?.control ?? null,
      ...(codes?.shown ?? []),
      moved.length ? element("h3", {}, say("directions")) : null,
      moved.length ? paragraph(say(program.directions_of === "codes" ? "directions_of_codes" : "directions_note")) : null,
      ...sliders.map((s) => s.control),
    ),
  );
  const parts = [top, nearest.shown];
  if (d === 2 && program.prior.name === "normal") parts.push(mapPart(program, decode, (z) => { base = z; reset(); }, also, neighbours));
  parts.push(pathPart(model, decode, here, also, neighbours));
  if (model.networks.encode) parts.push(copyPart(model, examples, () => label, also));
  refresh();
  return parts;
}

// InfoGAN's codes, which stand behind the noise in a latent: a category, as one-hot, and numbers.
function codeControls({ prior, latent_dim: d }, latent, onchange) {
  const { noise_dim: first, num_categories: count } = prior;
  const category = choice(say("categorical_code"), Array.from({ length: count }, (_, i) => String(i)), (chosen) => {
    latent().fill(0, first, first + count)[first + chosen] = 1;
    onchange();
  });
  const numbers = Array.from({ length: d - first - count }, (_, i) =>
    slider(`${say("continuous_code")} ${i + 1}`, { min: -2, max: 2, step: 0.05, value: 0 }, (v) => {
      latent()[first + count + i] = v;
      onchange();
    }));
  const show = () => {
    category.set(latent().indexOf(1, first) - first);
    numbers.forEach((one, i) => one.set(latent()[first + count + i]));
  };
  show();
  const shown = [element("h3", {}, say("codes")), paragraph(say("codes_note")), count ? category.control : null];
  return { show, shown: [...shown, ...numbers.map((one) => one.control)] };
}

// Spherical interpolation, as `ganedu.latent.slerp`: the angle evenly, the length linearly.
function slerp(a, b, t) {
  const length = (v) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  const la = length(a), lb = length(b);
  const cosine = a.reduce((sum, x, i) => sum + x * b[i], 0) / (la * lb || 1);
  const angle = Math.acos(Math.min(Math.max(cosine, -1), 1)), sine = Math.sin(angle);
  if (sine < 1e-6 || !la || !lb) return a.map((x, i) => (1 - t) * x + t * b[i]);
  const size = (1 - t) * la + t * lb;
  const [p, q] = [Math.sin((1 - t) * angle) / sine / la, Math.sin(t * angle) / sine / lb];
  return a.map((x, i) => size * (p * x + q * b[i]));
}

function pathPart(model, decode, here, also, neighbours) {
  const { program } = model, steps = 9, { latent_dim: d } = program;
  let ends = [1001, 1002].map((seed) => new Random(seed).latent(program));
  const pictures = ["A", "B"].map((name) => picture(program.image, name, "small"));
  const middle = picture(program.image, say("between"));
  const strip = Array.from({ length: steps }, (_, i) => picture(program.image, `${say("between")} ${i + 1}`, "tile"));
  const nearest = neighbours?.row();
  const showAt = () => {
    const image = decode(slerp(ends[0], ends[1], along.value()));
    middle.show(image);
    nearest?.show(image);
  };
  const shownAt = once(showAt);
  const along = slider(say("between"), { min: 0, max: 1, step: 0.01, value: 0.5 }, shownAt);
  const mixed = program.kind === "style" ? mixing(model, () => ends) : null;
  const refresh = once(() => {
    const z = new Float32Array(steps * d);
    for (let i = 0; i < steps; i += 1) z.set(slerp(ends[0], ends[1], i / (steps - 1)), i * d);
    const images = decode(z);
    strip.forEach(({ show }, i) => show(images, i));
    pictures[0].show(images, 0);
    pictures[1].show(images, steps - 1);
    showAt();
    mixed?.refresh();
  });
  const keep = (i) => () => { ends = ends.map((end, j) => (i === j ? here() : end)); refresh(); };
  also.push(refresh);
  refresh();
  return part("path", paragraph(say("path_note")),
    element("div", { className: "stage" },
      middle.canvas,
      element("div", {},
        group(button("keep_a", keep(0)), button("keep_b", keep(1))),
        group(...pictures.map(({ canvas }, i) => figure(canvas, "AB"[i]))),
        along.control,
        nearest ? paragraph(neighbours.title()) : null,
        nearest?.shown ?? null,
        mixed?.part ?? null,
      ),
    ),
    element("div", { className: "tiles" }, ...strip.map(({ canvas }) => canvas)),
  );
}

function mixing(model, ends) {
  const { image, depth } = model.program;
  const shown = picture(image, say("mixing"), "small");
  const refresh = once(() => {
    const [a, b] = ends().map((z) => model.map(z));
    shown.show(model.synthesize(a, b, crossover.value()));
  });
  const crossover = slider(say("crossover"), { min: 0, max: depth, step: 1, value: 1, digits: 0 }, refresh);
  const made = element("div", {}, element("h3", {}, say("mixing")), paragraph(say("mixing_note")),
    group(shown.canvas, crossover.control));
  return { part: made, refresh };
}

// The map of two latents: quantiles of N(0, 1) along each side, and the image under the pointer.
function mapPart(program, decode, choose, also, neighbours) {
  const side = 12, [height, width, channels] = program.image;
  const quantile = (p) => { // of N(0, 1), by bisection of its distribution function
    let low = -5, high = 5;
    for (let i = 0; i < 40; i += 1) {
      const middle = (low + high) / 2;
      if (0.5 * (1 + errorFunction(middle / Math.SQRT2)) < p) low = middle;
      else high = middle;
    }
    return low;
  };
  const big = picture([side * height, side * width, channels], say("map"), "map");
  const shown = picture(program.image, say("sample"));
  const at = [0, 0];
  const refresh = once(() => {
    const z = new Float32Array(side * side * 2);
    for (let i = 0; i < side * side; i += 1) {
      z[2 * i] = quantile(((i % side) + 0.5) / side);
      z[2 * i + 1] = quantile((side - Math.floor(i / side) - 0.5) / side);
    }
    const images = decode(z), all = new Float32Array(images.length), row = width * channels;
    for (let i = 0; i < side * side; i += 1) {
      for (let y = 0; y < height; y += 1) {
        const from = (i * height + y) * row;
        const to = ((Math.floor(i / side) * height + y) * side + (i % side)) * row;
        all.set(images.subarray(from, from + row), to);
      }
    }
    big.show(all);
  });
  const nearest = neighbours?.row();
  const one = once(() => {
    const image = decode(Float32Array.from(at));
    shown.show(image);
    nearest?.show(image);
  });
  const sliders = ["latent_1", "latent_2"].map((name, i) =>
    slider(say(name), { min: -3, max: 3, step: 0.05, value: 0 }, (v) => { at[i] = v; one(); }),
  );
  const pointed = (event) => {
    const box = big.canvas.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
    [across, 1 - down].forEach((p, i) => {
      at[i] = quantile(Math.min(Math.max(p, 0.002), 0.998));
      sliders[i].set(at[i]);
    });
    one();
  };
  big.canvas.addEventListener("pointermove", pointed);
  big.canvas.addEventListener("pointerdown", (event) => { pointed(event); choose(Float32Array.from(at)); });
  also.push(refresh, one);
  refresh();
  one();
  return part("map", paragraph(say("map_note")),
    element("div", { className: "stage" }, big.canvas, element("div", {},
      shown.canvas,
      ...sliders.map((s) => s.control),
      nearest ? paragraph(neighbours.title()) : null,
      nearest?.shown ?? null,
    )));
}

// Abramowitz and Stegun, 7.1.26: within 1.5e-7.
function errorFunction(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

// A drawing and its reconstruction: of a conditional model as an image of the chosen class.
function copyPart(model, examples, label = () => 0, also = []) {
  const copy = picture(model.program.image, say("reconstruction"));
  const refresh = once(() => copy.show(model.reconstruct(drawn.values, label())));
  const drawn = input(model.program.image, "drawing", examples, refresh);
  drawn.begin();
  also.push(refresh);
  refresh();
  const of = model.program.kind === "latent" && model.program.classes ? say("draw_of_class") : "";
  return part("draw", paragraph(sentences(say("draw_note"), of)), drawn.controls,
    element("div", { className: "pair" }, figure(drawn.canvas, say("drawing")), figure(copy.canvas, say("reconstruction"))));
}
