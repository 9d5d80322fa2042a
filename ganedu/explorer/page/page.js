// The page as a whole.

window.ganedu = { milliseconds: [], errors: [] };

async function playSection() {
  const held = section("play", paragraph(say("starting")));
  const fill = (...children) => held.replaceChildren(held.firstChild, ...children.filter(Boolean));
  if (!DATA.program) {
    fill(...(await storedPictures()));
    return held;
  }
  tf.start().then(async (backend) => {
    window.ganedu.backend = backend;
    window.ganedu.model = new Model(DATA.program, DATA.weights);
    const { real, pairs } = DATA.quality ?? {}, open = async (packed) => (packed ? unpacked(packed) : null);
    const examples = await open(DATA.examples), wanted = pairs ? await open(pairs.wanted) : examples;
    const neighbours = neighboursOf(await open(real), wanted, DATA.program.image);
    window.ganedu.neighbours = neighbours;
    fill(paragraph(say("play_note")), ...KINDS[DATA.program.kind](window.ganedu.model, examples, neighbours));
    window.ganedu.ready = true;
  }).catch((error) => {
    window.ganedu.errors.push(String(error));
    fill(paragraph(sentences(say("no_backend"), reason(error.message)), "trouble"));
  });
  return held;
}

(async () => {
  const main = document.getElementById("page");
  const title = element("h1", {}, DATA.title ?? `${DATA.name}, ${DATA.data}`);
  main.append(element("header", {}, title, DATA.summary ? paragraph(DATA.summary, "summary") : null));
  main.append(await playSection());
  if (DATA.curves) main.append(trainingSection());
  const quality = DATA.missing ? await qualitySection() : null;
  if (quality) main.append(quality);
  main.append(element("footer", {}, paragraph(say("made_by"))));
  embed(main);
  window.ganedu.drawn = true;
})();
