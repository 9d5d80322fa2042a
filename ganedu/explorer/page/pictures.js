// Translators; and what stands in the place of a model that the page cannot run.

function translatePage(model, examples, neighbours) {
  const { source, image } = model.program;
  const shown = picture(image, say("translation"));
  const nearest = nearestPart(neighbours);
  const refresh = once(() => {
    const image = model.translate(drawn.values);
    shown.show(image);
    nearest.show(image);
  });
  const drawn = input(source, "source", examples, refresh);
  drawn.begin();
  refresh();
  return [part("translation", paragraph(say("translate_note")), drawn.controls,
    element("div", { className: "pair" }, figure(drawn.canvas, say("source")), figure(shown.canvas, say("translation"))), nearest.shown)];
}

const KINDS = {
  latent: latentPage,
  style: latentPage,
  denoise: denoisePage,
  text_flow: textsPage,
  text_latent: textsPage,
  translate: translatePage,
  vq: codesPage,
  pixels: pixelsPage,
  captions: captionsPage,
};

async function storedPictures() {
  const instead = { samples: say("samples_instead"), tests: say("tests_instead") }[DATA.pictures_are];
  const told = paragraph(sentences(say("unplayed"), instead, reason(DATA.unplayed)), "trouble");
  return DATA.pictures ? [told, tiles(await unpacked(DATA.pictures), say("sample"))] : [told];
}
