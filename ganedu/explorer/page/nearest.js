// The real training images that are nearest to what a model makes, by the Euclidean distance of their pixels: whether
// a sample is a copy is seen beside how far real test images are from theirs.

class Neighbours {
  constructor({ shape: [count, ...shape], images, labels }) {
    Object.assign(this, { count, shape, images, labels, size: shape.reduce((a, b) => a * b, 1) });
  }

  // The same, among those of the class that `label()` says, where the classes are known.
  ofClass(label) {
    return this.labels ? Object.assign(Object.create(Neighbours.prototype), this, { label }) : this;
  }

  // How many are looked at.
  searched(label = this.label?.()) {
    return label === undefined ? this.count : this.labels.filter((one) => one === label).length;
  }

  // `[number, distance]` of the nearest to image `number` of `images`, `most` of them, the nearest first.
  find(images, number = 0, most = 1, label = this.label?.()) {
    const { count, size, images: real } = this, from = number * size, found = [];
    for (let i = 0; i < count; i += 1) {
      if (label !== undefined && this.labels[i] !== label) continue;
      let sum = 0;
      for (let j = 0; j < size; j += 1) sum += (images[from + j] - real[i * size + j]) ** 2;
      found.push([i, Math.sqrt(sum)]);
    }
    return found.sort((a, b) => a[1] - b[1]).slice(0, most);
  }

  // The median distance of images from their nearest, of each in its class where all classes are known.
  typical({ shape: [count], images, labels }) {
    const nearest = (_, i) => this.find(images, i, 1, this.labels && labels?.[i]);
    const distances = Array.from({ length: count }, nearest).filter((found) => found.length).map(([[, d]]) => d);
    return distances.sort((a, b) => a - b)[Math.floor(distances.length / 2)];
  }

  title() {
    return say(this.label ? "nearest_of_class" : "nearest");
  }

  // A row of the `most` nearest; `show(images, number)`.
  row(most = 4) {
    const told = Array.from({ length: most }, (_, i) => {
      const { canvas, show } = picture(this.shape, `${this.title()} ${i + 1}`, "tile");
      return { shown: figure(canvas, ""), show };
    });
    const show = (images, number = 0) => {
      const found = this.find(images, number, most);
      told.forEach((one, i) => {
        one.shown.hidden = i >= found.length; // a class may have fewer
        if (one.shown.hidden) return;
        const [at, distance] = found[i];
        one.show(this.images, at);
        one.shown.lastChild.textContent = distance.toPrecision(3);
      });
    };
    return { shown: element("div", { className: "tiles" }, ...told.map((one) => one.shown)), show };
  }

  // What is said of the rows, after what stands where.
  note(...begin) {
    const name = this.label ? "nearest_typical_of_class" : "nearest_typical";
    const typical = this.usual === undefined ? null : sayWith(name, this.usual.toPrecision(3));
    return sentences(...begin, sayWith("nearest_note", this.searched()), typical);
  }
}

// `null` where the page has no real images, or none of such a shape.
function neighboursOf(real, examples, shape) {
  if (!real || real.shape.slice(1).join() !== shape.join()) return null;
  const found = new Neighbours(real);
  if (examples && examples.shape.slice(1).join() === shape.join()) found.usual = found.typical(examples);
  return found;
}

// What stands under a model's sample: a heading, the nearest and the note; and `show`. Nothing where there are none.
function nearestPart(neighbours) {
  if (!neighbours) return { shown: null, show: () => {} };
  const row = neighbours.row(), note = paragraph("");
  const show = (images) => { row.show(images); note.textContent = neighbours.note(); };
  return { shown: element("div", {}, element("h3", {}, neighbours.title()), row.shown, note), show };
}
