// How good a run's samples are.

async function qualitySection() {
  const parts = DATA.missing.map((why) => paragraph(sentences(say("no_data"), reason(why)), "trouble"));
  const { quality } = DATA;
  if (quality) {
    const { scores = [], left_out: left, neighbours, pairs, count, of_classes: ofClasses } = quality;
    if (scores.length) parts.push(scoreTable(scores, count, ofClasses));
    left.forEach((name) => parts.push(paragraph(DATA.strings[name] ?? reason(name))));
    if (neighbours) {
      const space = say(neighbours.features ? "in_features" : "in_pixels");
      const note = paragraph(sayWith(ofClasses ? "neighbours_of_class" : "neighbours_note", space));
      for (const name of ["best", "worst"]) parts.push(await stacked(name, neighbours[name], name === "best" ? note : null));
    }
    if (pairs) {
      const name = pairs.made_of === "texts" ? "pairs_of_texts" : "pairs_of_images";
      parts.push(await stacked(name, { samples: pairs.made, nearest: pairs.wanted, distances: [] }));
    }
  }
  return parts.length ? section("quality", ...parts) : null;
}

function scoreTable(scores, count, ofClasses) {
  const number = (v) => (v === null ? "–" : v.toPrecision(3));
  const head = element("tr", {}, element("th", { scope: "col" }, say("scores")),
    element("th", { scope: "col" }, `${count} ${say("of_samples")}`), element("th", { scope: "col" }, say("of_real")));
  const rows = scores.map(([name, ours, real]) => element("tr", {},
    element("th", { scope: "row" }, name), element("td", {}, number(ours)), element("td", {}, number(real))));
  return element("div", { className: "part" }, paragraph(sentences(say("scores_note"), ofClasses && say("scores_of_classes"))), scrolling(element("table", {}, head, ...rows), say("scores")));
}

// Samples, each over what belongs to it; `note` stands above them.
async function stacked(name, { samples, nearest, distances }, note = null) {
  const [above, below] = await Promise.all([unpacked(samples), unpacked(nearest)]);
  const row = element("div", { className: "tiles" });
  for (let i = 0; i < above.shape[0]; i += 1) {
    const both = [above, below].map(({ shape, images }, k) => {
      const { canvas, show } = picture(shape.slice(1), `${say(name)} ${i + 1}${k ? "'" : ""}`, "tile");
      show(images, i);
      return canvas;
    });
    const told = distances[i] === undefined ? null : element("figcaption", {}, distances[i].toPrecision(3));
    row.append(element("figure", { className: "stacked" }, ...both, told));
  }
  return part(name, note, row);
}
