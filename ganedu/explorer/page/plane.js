// The plane [-3, 3]^2 on a canvas: a heat map, points, arrows, paths; and what a pointer or the arrow keys draw on it.

const SIDE = 600;
const COLOURS = { real: "#0b3c5d", generated: "#b45309", arrow: "#1f2328", path: "#7a1fa2" };
const BLUE = [72, 132, 196], RED = [214, 84, 80];
const pixel = (v) => ((v + EXTENT) / (2 * EXTENT)) * SIDE;

class Plane {
  constructor(label) {
    this.canvas = element("canvas", { width: SIDE, height: SIDE, className: "plane", role: "img" });
    this.canvas.setAttribute("aria-label", label);
    this.context = this.canvas.getContext("2d");
    this.cursor = null;
    this.clear();
  }

  clear() {
    this.context.fillStyle = "#fff";
    this.context.fillRect(0, 0, SIDE, SIDE);
  }

  // Values in [-1, 1] of a square grid, its first row at the bottom: from red over white to blue.
  heat(values) {
    const side = Math.sqrt(values.length);
    const small = element("canvas", { width: side, height: side }), context = small.getContext("2d");
    const pixels = context.createImageData(side, side);
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) {
        const value = Math.min(Math.max(values[row * side + column], -1), 1);
        const colour = value > 0 ? BLUE : RED, at = 4 * ((side - 1 - row) * side + column);
        for (let c = 0; c < 3; c += 1) pixels.data[at + c] = 255 + Math.abs(value) * (colour[c] - 255);
        pixels.data[at + 3] = 255;
      }
    }
    context.putImageData(pixels, 0, 0);
    this.context.imageSmoothingEnabled = true;
    // The outer values lie on the edge of the plane.
    const margin = SIDE / (side - 1) / 2;
    this.context.drawImage(small, -margin, -margin, SIDE + 2 * margin, SIDE + 2 * margin);
  }

  // Squares for real points and discs for generated ones, so that not the colour alone tells them apart.
  points(values, kind) {
    const { context } = this;
    context.fillStyle = COLOURS[kind];
    context.strokeStyle = "#fff";
    context.lineWidth = 1;
    for (let i = 0; i < values.length; i += 2) {
      const x = pixel(values[i]), y = SIDE - pixel(values[i + 1]);
      context.beginPath();
      if (kind === "real") context.rect(x - 2, y - 2, 4, 4);
      else context.arc(x, y, 4, 0, 2 * Math.PI);
      if (kind === "generated") context.stroke();
      context.fill();
    }
  }

  // Arrows from points (N, 2) along vectors (N, 2), of which nine in ten are at most `longest` long; all are scaled alike.
  arrows(places, vectors, longest = 0.5) {
    const { context } = this, lengths = [];
    for (let i = 0; i < vectors.length; i += 2) lengths.push(Math.hypot(vectors[i], vectors[i + 1]));
    const usual = [...lengths].sort((a, b) => a - b)[Math.floor(0.9 * lengths.length)];
    if (!(usual > 0)) return;
    context.strokeStyle = context.fillStyle = COLOURS.arrow;
    context.lineWidth = 1.6;
    for (let i = 0; i < vectors.length; i += 2) {
      const scale = (longest / usual) * Math.min(1, (2 * usual) / (lengths[i / 2] || 1));
      const dx = pixel(vectors[i] * scale) - pixel(0), dy = pixel(0) - pixel(vectors[i + 1] * scale);
      const x = pixel(places[i]), y = SIDE - pixel(places[i + 1]), length = Math.hypot(dx, dy);
      if (length < 1) continue;
      const head = Math.min(7, 0.5 * length), ux = dx / length, uy = dy / length;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + dx, y + dy);
      context.stroke();
      context.beginPath();
      context.moveTo(x + dx, y + dy);
      context.lineTo(x + dx - head * (ux + 0.5 * uy), y + dy - head * (uy - 0.5 * ux));
      context.lineTo(x + dx - head * (ux - 0.5 * uy), y + dy - head * (uy + 0.5 * ux));
      context.fill();
    }
  }

  // A line through points (N, 2), with a dot at each.
  path(values) {
    const { context } = this;
    context.strokeStyle = context.fillStyle = COLOURS.path;
    context.lineWidth = 3;
    context.beginPath();
    for (let i = 0; i < values.length; i += 2) context.lineTo(pixel(values[i]), SIDE - pixel(values[i + 1]));
    context.stroke();
    for (let i = 0; i < values.length; i += 2) {
      context.beginPath();
      context.arc(pixel(values[i]), SIDE - pixel(values[i + 1]), i === values.length - 2 ? 7 : 3.5, 0, 2 * Math.PI);
      context.fill();
    }
  }

  cross() {
    if (!this.cursor) return;
    const { context } = this, [x, y] = this.cursor.map(pixel);
    context.strokeStyle = COLOURS.arrow;
    context.lineWidth = 2;
    context.strokeRect(x - 8, SIDE - y - 8, 16, 16);
  }

  // Calls `ontouch([x, y])` for each place under a pointer that is held down, and for the space bar at a cursor that the
  // arrow keys move; `onmove()` when the cursor has moved.
  touched(ontouch, onmove) {
    const { canvas } = this;
    canvas.tabIndex = 0;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      ontouch([((event.clientX - box.left) / box.width - 0.5) * 2 * EXTENT, (0.5 - (event.clientY - box.top) / box.height) * 2 * EXTENT]);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      place(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons) place(event); });
    const ways = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowDown: [0, -0.2], ArrowUp: [0, 0.2] };
    canvas.addEventListener("keydown", (event) => {
      const way = ways[event.key];
      if (!way && event.key !== " ") return;
      event.preventDefault();
      this.cursor ??= [0, 0];
      if (way) this.cursor = this.cursor.map((v, i) => Math.min(Math.max(v + way[i], -2.9), 2.9));
      else ontouch([...this.cursor]);
      onmove();
    });
    canvas.addEventListener("blur", () => { this.cursor = null; onmove(); });
  }
}

// The places of a square grid over the plane, (side^2, 2), in rows from the bottom.
function lattice(side, extent = EXTENT) {
  const tick = (i) => (2 * extent * i) / (side - 1) - extent;
  return Float32Array.from({ length: 2 * side * side }, (_, i) => (i % 2 ? tick(Math.floor(i / 2 / side)) : tick((i / 2) % side)));
}
