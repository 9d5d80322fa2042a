// Elements and pictures. Whatever a run says becomes text, never HTML.

const DATA = JSON.parse(document.getElementById("data").textContent);
const say = (name) => DATA.strings?.[name] ?? name;
// A text with a value in the place of its `{}`; and sentences one after the other, between which Chinese has no space.
const sayWith = (name, value) => say(name).replace("{}", () => value);
const sentences = (...texts) => texts.filter(Boolean).join(document.documentElement.lang === "zh" ? "" : " ");
// A reason that the package gave, in English, as a sentence.
const reason = (text) => sayWith("reason", /[.!?]$/.test(text) ? text : `${text}.`);
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// An element with properties and children; strings among the children become text.
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const paragraph = (text, className = "note") => element("p", { className }, text);
const group = (...children) => element("div", { className: "group" }, ...children);

function section(name, ...children) {
  return element("section", {}, element("h2", {}, say(name)), ...children);
}

function part(name, ...children) {
  return element("div", { className: "part" }, element("h3", {}, say(name)), ...children.filter(Boolean));
}

// A table that is wider than the page is moved within its own box.
const scrolling = (table, name) => element("div", { className: "scrolling", role: "region", ariaLabel: name, tabIndex: 0 }, table);

// Light or dark as the page says that led here (`page.html#dark`), else as the system does.
function themed(name) {
  if (["light", "dark"].includes(name)) document.documentElement.dataset.theme = name;
}

// Within another page: without a title, and that page is told how high this one is, and tells it whether to be light or
// dark.
function embed(main) {
  themed(location.hash.slice(1));
  if (parent === window) return;
  document.documentElement.classList.add("embedded");
  addEventListener("message", ({ source, data }) => {
    if (source === parent && data?.ganedu === "theme") themed(data.theme);
  });
  new ResizeObserver(() => parent.postMessage({ ganedu: "height", height: main.offsetHeight }, "*")).observe(main);
}

// A canvas of one image (H, W, C), shown large with sharp pixels: `show(images, number)` of values in [-1, 1].
function picture([height, width, channels], label, className = "large") {
  const canvas = element("canvas", { width, height, className, role: "img" });
  canvas.setAttribute("aria-label", label);
  canvas.style.aspectRatio = `${width} / ${height}`;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  pixels.data.fill(255);
  const show = (images, number = 0) => {
    const from = number * height * width * channels;
    for (let i = 0; i < height * width; i += 1) {
      for (let c = 0; c < 3; c += 1) {
        const value = images[from + i * channels + (channels === 3 ? c : 0)];
        pixels.data[4 * i + c] = Math.round((value + 1) * 127.5);
      }
    }
    context.putImageData(pixels, 0, 0);
  };
  return { canvas, show, context };
}

// Captioned, for two pictures side by side.
function figure(canvas, caption) {
  return element("figure", {}, canvas, element("figcaption", {}, caption));
}

// Images as Python packed them, as values in [-1, 1], with their classes if these are there.
async function unpacked({ shape, data, labels }) {
  const stream = new Blob([bytesOf(data)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return { shape, images: Float32Array.from(bytes, (v) => v / 127.5 - 1), labels };
}

// Small pictures in a row.
function tiles({ shape: [count, ...shape], images }, label, captions = []) {
  const row = element("div", { className: "tiles" });
  for (let i = 0; i < count; i += 1) {
    const { canvas, show } = picture(shape, `${label} ${i + 1}`, "tile");
    show(images, i);
    row.append(captions[i] === undefined ? canvas : figure(canvas, captions[i]));
  }
  return row;
}
