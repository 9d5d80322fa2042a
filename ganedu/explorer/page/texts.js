// Models of texts: from a sentence to pictures, changes that a sentence asks for, captions.

const SENTENCE = "a thick red three";
const INSTRUCTION = "make the three blue";
const SENTENCES = ["a blue seven", "a thin green zero at the top", "a small yellow five in the lower left", "a magenta eight leaning left"];

function textsPage(model, examples, neighbours) {
  const { program } = model, count = 4, flows = program.kind === "text_flow";
  const run = runner();
  let seed = 1;
  const shown = Array.from({ length: count }, (_, i) => picture(program.image, `${say("sample")} ${i + 1}`, "medium"));
  const trouble = element("p", { className: "trouble" });
  trouble.setAttribute("role", "status");
  const text = element("input", { type: "text", value: program.is_editor ? INSTRUCTION : SENTENCE, maxLength: 300 });
  const captions = shown.map(() => element("figcaption", {}));
  const show = (images) => shown.forEach(({ show: one }, i) => one(images, i));
  const nearest = shown.map(() => neighbours?.row(1));
  const end = (images) => { show(images); nearest.forEach((row, i) => row?.show(images, i)); };
  const completion = paragraph(say("completed_note"));
  completion.hidden = true;
  const begin = () => {
    trouble.textContent = "";
    let tokens;
    try {
      if (!text.value.trim()) throw Object.assign(new Error("none"), { none: true });
      const random = new Random(1000 + seed), full = shown.map(() => completed(text.value, program, random));
      tokens = model.tokens(full);
      captions.forEach((caption, i) => { caption.textContent = full[i] === text.value ? "" : full[i]; });
      completion.hidden = full.every((caption) => caption === text.value);
    } catch (error) {
      trouble.textContent = error.words ? `${say("unknown_words")} ${error.words.join(", ")}`
        : error.none ? say("no_words") : `${say("too_long")} ${error.most}`;
      return;
    }
    const z = new Random(seed).normals(count * program.latent_dim);
    if (!flows) { end(model.decodeTexts(z, tokens)); return; }
    const beside = program.is_editor ? { beside: repeated(source.values, count) } : {};
    const options = { tokens, steps: steps.value(), guidance: guidance.value(), temperature: temperature.value(), ...beside };
    run(model.denoise(z, options), ({ seen }) => show(seen), end);
  };
  text.addEventListener("keydown", (event) => { if (event.key === "Enter") begin(); });
  const source = program.is_editor ? input(program.image, "edit_image", examples, () => begin()) : null;
  const amount = (name, options) => (flows ? slider(say(name), options, begin) : null);
  const steps = amount("steps", { min: 1, max: 30, step: 1, value: program.steps, digits: 0 });
  const guidance = amount("guidance", { min: 0, max: 6, step: 0.1, value: program.guidance ?? 1, digits: 1 });
  const temperature = amount("temperature", { min: 0, max: 1.5, step: 0.05, value: program.temperature ?? 1 });
  source?.begin();
  begin();
  const words = program.vocabulary.slice(4).join(" ");
  const said = (sentence) => element("button", { type: "button", name: "sentence", onclick: () => { text.value = sentence; begin(); } }, sentence);
  return [
    labelled(say("text"), text),
    program.grammar ? group(paragraph(say("for_example")), ...SENTENCES.map(said)) : null,
    group(button("generate", begin), button("another", () => { seed += 1; begin(); })),
    trouble,
    source ? element("div", {}, source.controls, figure(source.canvas, say("edit_image"))) : null,
    element("div", { className: "tiles" }, ...shown.map(({ canvas }, i) => element("figure", { className: "told" }, canvas, captions[i], nearest[i]?.shown ?? null))),
    neighbours ? paragraph(neighbours.note(say("nearest_below"))) : null,
    completion,
    steps?.control ?? null, guidance?.control ?? null, temperature?.control ?? null,
    element("details", {}, element("summary", {}, say("text_note")), paragraph(words)),
  ];
}

function repeated(values, count) {
  const all = new Float32Array(count * values.length);
  for (let i = 0; i < count; i += 1) all.set(values, i * values.length);
  return all;
}

function captionsPage(model, examples) {
  const { program } = model, [height, width, channels] = program.image;
  const shown = picture(program.image, say("attention"));
  const sentence = element("p", { className: "sentence" });
  sentence.setAttribute("aria-live", "polite");
  const told = element("figcaption", {});
  const lit = (word, look, [h, w]) => {
    told.textContent = `${say("attention")}: ${word}`;
    const most = Math.max(...look);
    shown.show(Float32Array.from(drawn.values, (v, i) => {
      const place = Math.floor(i / channels), row = Math.floor(place / width), column = place % width;
      const light = look[Math.floor((row * h) / height) * w + Math.floor((column * w) / width)] / most;
      return (v + 1) * (0.2 + 0.8 * light) - 1;
    }));
  };
  const refresh = once(() => {
    const { words, looks, grid } = model.caption(drawn.values);
    shown.show(drawn.values);
    told.textContent = say("attention_note");
    sentence.replaceChildren(...words.map((word, i) => element("button", {
      type: "button", className: "word", onfocus: () => lit(word, looks[i], grid), onpointerenter: () => lit(word, looks[i], grid),
    }, word)));
  });
  const drawn = input(program.image, "drawing", examples, refresh);
  drawn.begin();
  refresh();
  return [part("caption", paragraph(say("caption_note")), drawn.controls, sentence,
    element("div", { className: "pair" }, figure(drawn.canvas, say("drawing")), element("figure", {}, shown.canvas, told)))];
}
