// Sliders, buttons, choices, a board to draw on; and what is done no more than once a frame.

let counter = 0;

function labelled(text, input, output = null) {
  counter += 1;
  input.id = input.id || `control-${counter}`;
  const label = element("label", { htmlFor: input.id }, text);
  return element("div", { className: "control" }, label, input, output);
}

// A slider that shows its value, by `shown`; `onchange(value)`. Its element is `control`; `set(value)` moves it without
// a call.
function slider(text, { min, max, step, value, digits = 2, shown = (v) => v.toFixed(digits) }, onchange) {
  const output = element("output", {}, shown(value));
  const input = element("input", { type: "range" });
  Object.assign(input, { min, max, step });
  input.value = value;
  const told = () => { output.textContent = shown(Number(input.value)); };
  input.addEventListener("input", () => { told(); onchange(Number(input.value)); });
  const set = (v) => { input.value = v; told(); };
  return { control: labelled(text, input, output), input, set, value: () => Number(input.value) };
}

function button(name, onclick) {
  return element("button", { type: "button", onclick, name }, say(name));
}

// A choice among names; `onchange(index)`; `set(index)` chooses without a call.
function choice(text, names, onchange) {
  const options = names.map((name, i) => element("option", { value: String(i) }, name));
  const input = element("select", { onchange: () => onchange(Number(input.value)) }, ...options);
  const set = (index) => { input.value = String(index); };
  return { control: labelled(text, input), set, value: () => Number(input.value) };
}

function classChoice(program, onchange) {
  if (!program.classes) return null;
  const names = DATA.classes.length === program.classes ? DATA.classes : null;
  return choice(say("class"), Array.from({ length: program.classes }, (_, i) => names?.[i] ?? String(i)), onchange);
}

// A function that runs `work` in the next frame, once however often it is called; how long it took is kept.
function once(work) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const started = performance.now();
      work();
      window.ganedu.milliseconds.push(performance.now() - started);
    });
  };
}

// Runs a generator a step a frame, so that what it shows is seen; a newer run ends an older one.
function runner() {
  let newest = 0;
  return (steps, onstep, onend) => {
    newest += 1;
    const own = newest;
    const next = () => {
      if (own !== newest) return;
      const { value, done } = steps.next();
      if (done) onend(value);
      else {
        onstep(value);
        requestAnimationFrame(next);
      }
    };
    requestAnimationFrame(next);
  };
}

// A board to draw on, of an image (H, W, C): white on black, or black strokes where `ink` is -1.
function board(shape, label, onchange) {
  const [height, width, channels] = shape;
  const { canvas, show } = picture(shape, label);
  const values = new Float32Array(height * width * channels).fill(-1);
  canvas.classList.add("board");
  const changed = () => { show(values); onchange(values); };
  const stroke = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * width, y = ((event.clientY - box.top) / box.height) * height;
    const radius = Math.max(height, width) / 22;
    for (let i = 0; i < height; i += 1) {
      for (let j = 0; j < width; j += 1) {
        const far = Math.hypot(i + 0.5 - y, j + 0.5 - x) / radius;
        const ink = Math.min(Math.max(2 - far, 0), 1) * 2 - 1;
        for (let c = 0; c < channels; c += 1) {
          const at = (i * width + j) * channels + c;
          values[at] = Math.max(values[at], ink);
        }
      }
    }
    changed();
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    stroke(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) stroke(event); });
  show(values);
  return { canvas, values, set: (image) => { values.set(image); changed(); } };
}

// A board with test images to begin from, and a button that clears it; `onchange(values)`.
function input(shape, name, examples, onchange) {
  const drawn = board(shape, say(name), onchange);
  const size = drawn.values.length;
  const fits = examples && examples.shape.slice(1).join() === shape.join();
  const shown = (i) => drawn.set(examples.images.subarray(i * size, (i + 1) * size));
  const names = fits ? Array.from({ length: examples.shape[0] }, (_, i) => String(i + 1)) : [];
  const chosen = fits ? choice(say("test_image"), names, shown).control : null;
  const clear = button("clear", () => drawn.set(new Float32Array(size).fill(-1)));
  return { ...drawn, controls: group(chosen, clear), begin: () => fits && shown(0) };
}
