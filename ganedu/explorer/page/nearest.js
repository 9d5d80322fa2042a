// The real training images that are nearest to what a model makes, by the Euclidean distance of their pixels: whether
// a sample is a copy is seen beside how far real test images are from theirs.

class Neighbours {
  constructor({ shape: [count, ...shape], images }) {
    Object.assign(this, { count, shape, images, size: shape.reduce((a, b) => a * b, 1) });
  }

  // `[number, distance]` of the nearest to image `number` of `images`, `most` of them, the nearest first.
  find(images, number = 0, most = 1) {
    const { count, size, images: real } = this, from = number * size, found = [];
    for (let i = 0; i < count; i += 1) {
      let sum = 0;
      for (let j = 0; j < size; j += 1) sum += (images[from + j] - real[i * size + j]) ** 2;
      found.push([i, Math.sqrt(sum)]);
    }
    return found.sort((a, b) => a[1] - b[1]).slice(0, most);
  }

  // The median distance of images from their nearest.
  typical({ shape: [count], images }) {
    const distances = Array.from({ length: count }, (_, i) => this.find(images, i)[0][1]).sort((a, b) => a - b);
    return distances[Math.floor(count / 2)];
  }

  // A row of the `most` nearest; `show(images, number)`.
  row(most = 4) {
    const told = Array.from({ length: most }, (_, i) => {
      const { canvas, show } = picture(this.shape, `${say("nearest")} ${i + 1}`, "tile");
      return { shown: figure(canvas, ""), show };
    });
    const show = (images, number = 0) => {
      this.find(images, number, most).forEach(([at, distance], i) => {
        told[i].show(this.images, at);
        told[i].shown.lastChild.textContent = distance.toPrecision(3);
      });
    };
    return { shown: element("div", { className: "tiles" }, ...told.map((one) => one.shown)), show };
  }

  // What is said of the rows, after what stands where.
  note(...begin) {
    const typical = this.usual === undefined ? null : sayWith("nearest_typical", this.usual.toPrecision(3));
    return paragraph(sentences(...begin, sayWith("nearest_note", this.count), typical));
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
  const { shown, show } = neighbours.row();
  return { shown: element("div", {}, element("h3", {}, say("nearest")), shown, neighbours.note()), show };
}
