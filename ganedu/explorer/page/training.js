// How a run was trained: its film, its curves, and the time that both show.

// The last value up to a row, with its step where that is another; or that there was none.
function lastValue(values, steps, row) {
  let at = row;
  while (at >= 0 && values[at] === null) at -= 1;
  if (at < 0) return say("no_value_yet");
  return at === row ? values[at].toPrecision(4) : `${values[at].toPrecision(4)} (${sayWith("step", steps[at])})`;
}

// A curve over the steps; `mark(step)` moves its line.
function curve(name, values, steps) {
  const width = 260, height = 90, known = values.filter((v) => v !== null);
  if (!known.length) return null;
  const low = Math.min(...known), high = Math.max(...known), first = steps[0], last = steps.at(-1);
  const x = (step) => (last > first ? ((step - first) / (last - first)) * width : width / 2);
  const y = (v) => (high > low ? height - 6 - ((v - low) / (high - low)) * (height - 12) : height / 2);
  let path = "", pen = "M";
  const alone = []; // values with no neighbour to draw a line to: points
  values.forEach((v, i) => {
    if (v === null) pen = "M";
    else {
      path += `${pen}${x(steps[i]).toFixed(1)} ${y(v).toFixed(1)}`;
      pen = "L";
      if ([values[i - 1], values[i + 1]].every((w) => w === null || w === undefined)) {
        alone.push(svg("circle", { cx: x(steps[i]).toFixed(1), cy: y(v).toFixed(1), r: 3 }));
      }
    }
  });
  const line = svg("line", { y1: 0, y2: height, class: "mark" });
  const title = svg("title", {}, `${name}: ${low.toPrecision(4)} ... ${high.toPrecision(4)}`);
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, title, svg("path", { d: path }), ...alone, line);
  const value = element("output", {});
  const mark = (step) => {
    const at = Math.min(Math.max(x(step), 0), width);
    line.setAttribute("x1", at);
    line.setAttribute("x2", at);
    let nearest = 0;
    steps.forEach((s, i) => { if (Math.abs(s - step) <= Math.abs(steps[nearest] - step)) nearest = i; });
    value.textContent = lastValue(values, steps, nearest);
  };
  return { shown: element("figure", { className: "curve" }, element("figcaption", {}, name, " ", value), chart), mark };
}

function trainingSection() {
  const { curves, film } = DATA;
  const charts = Object.entries(curves.columns).map(([name, values]) => curve(name, values, curves.steps)).filter(Boolean);
  const times = film.length ? film.map((f) => f.step) : curves.steps;
  const shown = film.length ? element("img", { className: "film", alt: "" }) : null;
  const where = element("output", {});
  const mark = (i) => {
    const step = times[i];
    if (shown) {
      shown.src = film[i].image;
      shown.alt = `${say("samples")}, ${sayWith("step", step)}`;
      shown.width = film[i].width;
      shown.height = film[i].height;
    }
    where.textContent = sayWith("step", step);
    charts.forEach((chart) => chart.mark(step));
  };
  const parts = [];
  if (times.length) {
    const last = times.length - 1;
    const several = film.length > 1 ? "film_note" : film.length ? "frame_note" : "";
    const note = sentences(several && say(several), charts.length ? say("mark_note") : "");
    parts.push(note ? paragraph(note) : null, last ? timeSlider(last, mark, where, film.length > 1) : element("p", {}, where));
    mark(last);
  }
  parts.push(shown ?? paragraph(say("no_film")));
  parts.push(charts.length ? element("div", { className: "curves" }, ...charts.map((c) => c.shown)) : paragraph(say("no_curves")));
  if (DATA.diagnosis) {
    const { text, missing, name, value } = DATA.diagnosis;
    const told = name ? sayWith(name, value) : missing && reason(missing);
    parts.push(part("diagnosis", ...(told ? [paragraph(told)] : findings(text))));
  }
  const rows = DATA.details.map(([name, value]) => [element("dt", {}, say(`detail_${name}`)), element("dd", {}, value)]);
  parts.push(part("details", element("dl", {}, ...rows.flat())));
  return section("training", ...parts.filter(Boolean));
}

// A diagnosis, a paragraph for each of its lines: a finding, and indented what it is and what helps. What is to be typed
// is code.
function findings(text) {
  return text.split("\n").map((line) => {
    const pieces = line.trim().split(/`([^`]+)`/).map((piece, i) => (i % 2 ? element("code", {}, piece) : piece));
    return element("p", { className: line.startsWith(" ") ? "note" : "finding" }, ...pieces);
  });
}

// The chosen time, which `where` tells, and a button that plays a film.
function timeSlider(last, mark, where, plays) {
  const time = slider(say("time"), { min: 0, max: last, step: 1, value: last, digits: 0 }, mark);
  time.control.replaceChild(where, time.control.querySelector("output"));
  return group(plays ? filmButton(time, last, mark) : null, time.control);
}

// Plays the film once; where motion is to be reduced it does not begin by itself, as it never does.
function filmButton(time, last, mark) {
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = say("play_film");
  };
  const play = element("button", {
    type: "button",
    onclick: () => {
      if (timer !== null) { stop(); return; }
      let i = time.value() === last ? 0 : time.value();
      play.textContent = say("stop_film");
      timer = setInterval(() => {
        time.set(i);
        mark(i);
        i += 1;
        if (i > last) stop();
      }, still() ? 1000 : 250);
    },
  }, say("play_film"));
  return play;
}
