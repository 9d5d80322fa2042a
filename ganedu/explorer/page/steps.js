// Models that take many steps: denoising, codes one by one, pixels one by one.

function denoisePage(model, examples, real) {
  const { program } = model;
  let seed = 1, label = 0, kept = [];
  const neighbours = program.classes ? real?.ofClass(() => label) : real;
  const run = runner();
  const small = program.noise_shape.slice(0, 2).join() !== program.image.slice(0, 2).join(); // codes, not pixels
  const shown = small ? null : picture(program.noise_shape, say("x_t"));
  const seen = picture(program.image, say("seen")), result = picture(program.image, say("result"));
  const strip = element("div", { className: "tiles" });
  const show = (i) => {
    if (!kept[i]) return;
    shown?.show(kept[i].x);
    seen.show(kept[i].seen);
  };
  const at = slider(say("at_step"), { min: 1, max: 1, step: 1, value: 1, digits: 0 }, (v) => show(v - 1));
  const begin = () => {
    kept = [];
    at.control.hidden = steps.value() === 1; // there is one place, and it is shown
    strip.replaceChildren();
    const z = here();
    const options = { steps: steps.value(), label: [label], guidance: guidance?.value() };
    run(model.denoise(z, options), ({ x, seen: image, step, steps: count }) => {
      kept.push({ x: Float32Array.from(x, clip), seen: model.networks.decode ? model.finish(image) : Float32Array.from(image, clip) });
      at.input.max = String(kept.length);
      at.set(kept.length);
      show(step);
      if (count <= 16 || step % Math.ceil(count / 16) === 0) {
        const tile = picture(program.image, `${say("seen")} ${step + 1}`, "tile");
        tile.show(kept[step].seen);
        strip.append(tile.canvas);
      }
    }, (images) => {
      result.show(images);
      nearest.show(images);
    });
  };
  const nearest = nearestPart(neighbours);
  const here = () => new Random(seed).normals(program.latent_dim);
  const decode = (z) => {
    const labels = new Array(z.length / program.latent_dim).fill(label);
    return toTheEnd(model.denoise(z, { steps: steps.value(), label: labels, guidance: guidance?.value() }));
  };
  const also = [], again = () => also.forEach((f) => f());
  const steps = slider(say("steps"), { min: 1, max: 50, step: 1, value: program.steps, digits: 0 }, begin);
  const guidance = program.guidance === undefined ? null
    : slider(say("guidance"), { min: 0, max: 6, step: 0.1, value: program.guidance, digits: 1 }, begin);
  const classes = classChoice(program, (i) => { label = i; begin(); again(); });
  [steps, guidance].forEach((s) => s?.input.addEventListener("change", again)); // once the hand lets go
  begin();
  const parts = [part("noise_to_picture",
    group(button("other_noise", () => { seed += 1; begin(); }), classes?.control ?? null),
    steps.control, guidance?.control ?? null, at.control,
    element("div", { className: "pair" },
      shown ? figure(shown.canvas, say("x_t")) : null, figure(seen.canvas, say(small ? "seen_in_codes" : "seen")), figure(result.canvas, say("result"))),
    strip, nearest.shown), pathPart(model, decode, here, also, neighbours)];
  if (model.networks.encode) parts.push(copyPart(model, examples));
  return parts;
}

function codesPage(model, examples, neighbours) {
  const { program } = model, [h, w] = program.grid;
  let seed = 0;
  const run = runner();
  const result = picture(program.image, say("sample"));
  const codes = picture([h, w, 1], say("codes"), "small");
  const begin = () => {
    seed += 1;
    const random = new Random(seed);
    const show = (found) => {
      codes.show(Float32Array.from(found, (c) => (2 * c) / (program.codebook.length - 1) - 1));
      result.show(model.decodeCodes(found));
    };
    run(model.drawCodes(1, temperature.value(), () => random.gumbel()), show, (found) => {
      show(found);
      nearest.show(model.decodeCodes(found));
    });
  };
  const nearest = nearestPart(neighbours);
  const temperature = slider(say("temperature"), { min: 0.1, max: 2, step: 0.05, value: 1 }, begin);
  begin();
  return [element("div", { className: "stage" }, result.canvas,
    element("div", {}, group(button("another", begin)), temperature.control, figure(codes.canvas, say("codes")), nearest.shown)),
    copyPart(model, examples)];
}

function pixelsPage(model, examples, neighbours) {
  let seed = 0;
  const run = runner();
  const result = picture(model.program.image, say("sample"));
  const begin = () => {
    seed += 1;
    run(model.drawPixels(1, new Random(seed)), (x) => result.show(x), (x) => {
      result.show(x);
      nearest.show(x);
    });
  };
  const nearest = nearestPart(neighbours);
  begin();
  return [element("div", { className: "stage" }, result.canvas, element("div", {}, group(button("another", begin)), nearest.shown))];
}
