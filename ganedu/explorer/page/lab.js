// What both labs have: a seed, the pace of training, and the page around them.

window.ganedu = { milliseconds: [], errors: [] };

const STEP_MILLISECONDS = 20, SLOW_MILLISECONDS = 700;

// Takes steps while it runs: in each frame as many as fit, or slowly one after the other; `show` after them, at most
// every `every` milliseconds, and where motion is to be reduced once a second. `step` says whether to go on.
class Pace {
  constructor(step, show, every) {
    Object.assign(this, { step, show, every, mode: null, shown: 0, stepped: 0 });
    this.buttons = {
      run: button("run", () => this.toggle("run")),
      slow: button("slow", () => this.toggle("slow")),
    };
    this.mark();
  }

  toggle(mode) {
    const was = this.mode;
    this.mode = was === mode ? null : mode;
    this.stepped = 0;
    this.mark();
    if (was === null && this.mode) requestAnimationFrame((now) => this.frame(now));
    if (!this.mode) this.show();
  }

  stop() {
    this.mode = null;
    this.mark();
  }

  mark() {
    for (const [name, made] of Object.entries(this.buttons)) {
      made.setAttribute("aria-pressed", String(this.mode === name));
      made.textContent = say(this.mode === name ? "pause" : name);
    }
  }

  frame(now) {
    if (!this.mode) return;
    let going = true;
    if (this.mode === "run") {
      const end = performance.now() + STEP_MILLISECONDS;
      while (going && performance.now() < end) going = this.step();
    } else if (now - this.stepped >= SLOW_MILLISECONDS) {
      this.stepped = now;
      going = this.step();
    }
    if (!going) this.stop();
    const wait = this.mode === "slow" ? SLOW_MILLISECONDS : still() ? 1000 : this.every;
    if (!going || now - this.shown >= wait) {
      this.shown = now;
      const started = performance.now();
      this.show();
      window.ganedu.milliseconds.push(performance.now() - started);
    }
    if (this.mode) requestAnimationFrame((next) => this.frame(next));
  }
}

// A learning rate, on a scale of powers of ten.
function rateSlider(name, value, onchange) {
  const range = { min: -5, max: 0, step: 0.05, value: Math.log10(value) };
  return slider(say(name), { ...range, shown: (v) => (10 ** v).toPrecision(2) }, (v) => onchange(10 ** v));
}

function seedInput(onchange) {
  const input = element("input", { type: "number", min: "0", max: "999999", step: "1", value: "0" });
  const read = () => Math.min(Math.max(Math.floor(Number(input.value)) || 0, 0), 999999);
  input.addEventListener("change", () => { input.value = read(); onchange(); });
  return { control: labelled(say("seed"), input), value: read };
}

// What both labs have: a plane, a pace, a seed, and a distribution, which may be drawn by hand. A lab has `next()`, a step
// of training that says whether to go on; `show()`; `reset()`; and `refreshReal()`, after the distribution has changed.
class Lab {
  // `shown()` is what a pace calls, at most every `every` milliseconds.
  constructor(label, name, shown, every) {
    Object.assign(this, { name, data: "ring", drawn: new Drawn(), plane: new Plane(say(label)) });
    this.pace = new Pace(() => this.next(), shown, every);
    this.trouble = element("p", { className: "trouble", role: "status" });
    this.seed = seedInput(() => this.reset());
    this.dataChoice = this.choiceOfData();
    this.plane.touched((place) => this.draw(place), () => this.show());
  }

  // One that is drawn by hand can be cleared, and only then does a touch draw.
  choiceOfData() {
    const names = [...Object.keys(DISTRIBUTIONS), "drawn"];
    const clear = button("clear_drawing", () => { this.drawn.places = []; this.reset(); });
    const drawing = () => {
      clear.hidden = this.data !== "drawn";
      this.plane.canvas.style.touchAction = clear.hidden ? "auto" : "none";
    };
    const made = choice(say("distribution"), names.map((n) => say(`data_${n}`)), (i) => {
      this.data = names[i];
      drawing();
      this.reset();
    });
    drawing();
    return { controls: [made.control, clear] };
  }

  distribution() {
    return this.data === "drawn" ? this.drawn : DISTRIBUTIONS[this.data];
  }

  draw(place) {
    if (this.data !== "drawn") return;
    this.drawn.places.push(place);
    this.refreshReal();
    this.show();
  }

  // Whether all weights are numbers; if not, the page says so.
  finite(...networks) {
    const fine = networks.every((network) => network.finite());
    if (!fine) this.trouble.textContent = say("not_finite");
    return fine;
  }
}

const legend = (...names) => element("p", { className: "legend" }, ...names.map((name) => (
  element("span", {}, element("span", { className: `swatch ${name}`, ariaHidden: "true" }), say(`legend_${name}`))
)));

const fact = (name) => {
  const value = element("dd", {});
  return { shown: [element("dt", {}, say(name)), value], set: (text) => { value.textContent = text; } };
};

// The page: its title and what it is for, and what `make()` gives once TensorFlow.js has started.
function openLab(name, make) {
  const held = element("div", {}, paragraph(say("starting")));
  const hints = element("ul", {}, ...say(`${name}_hints`).split("\n").map((hint) => element("li", {}, hint)));
  const main = document.getElementById("page");
  main.append(
    element("header", {}, element("h1", {}, say(`${name}_title`)), paragraph(say(`${name}_summary`), "summary")),
    held,
    element("section", {}, element("h2", {}, say("try")), hints),
    element("footer", {}, paragraph(say("made_by_lab"))),
  );
  embed(main);
  tf.start().then((backend) => {
    window.ganedu.backend = backend;
    held.replaceChildren(...make());
    window.ganedu.ready = true;
  }).catch((error) => {
    window.ganedu.errors.push(String(error));
    held.replaceChildren(paragraph(sentences(say("no_backend"), reason(error.message)), "trouble"));
  });
}
