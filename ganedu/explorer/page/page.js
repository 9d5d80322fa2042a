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
    const examples = DATA.examples ? await unpacked(DATA.examples) : null;
    const real = DATA.quality?.neighbours?.real, neighbours = neighboursOf(real && (await unpacked(real)), examples, DATA.program.image);
    window.ganedu.neighbours = neighbours;
    fill(paragraph(say("play_note")), ...KINDS[DATA.program.kind](window.ganedu.model, examples, neighbours));
    window.ganedu.ready = true;
  }).catch((error) => {
    window.ganedu.errors.push(String(error));
    fill(paragraph(`${say("no_backend")} ${error.message}`, "trouble"));
  });
  return held;
}

// Within another page: nothing but the model, and that page is told how high it is.
function embed(main) {
  document.documentElement.classList.add("embedded");
  new ResizeObserver(() => parent.postMessage({ ganedu: "height", height: main.offsetHeight }, "*")).observe(main);
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
  if (parent !== window) embed(main);
  window.ganedu.drawn = true;
})();
