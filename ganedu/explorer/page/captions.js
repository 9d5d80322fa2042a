// What a caption of one object leaves open is drawn before sampling, as `ganedu.data.captions.scenes.complete_captions`
// does: a model that has learnt from full captions is asked in its own words.

// The attributes that words say, by name, in whatever order; null where they are not of one object of the grammar.
function readCaption(words, grammar) {
  const said = {}, phrases = new Map();
  for (const [attribute, values] of Object.entries(grammar.values)) {
    for (const [value, ways] of Object.entries(values)) ways.forEach((way) => phrases.set(way, [attribute, value]));
  }
  grammar.fillers.forEach((way) => phrases.set(way, null));
  const longest = Math.max(...[...phrases.keys()].map((way) => way.split(" ").length));
  for (let i = 0; i < words.length; ) {
    let length = Math.min(longest, words.length - i);
    while (length && !phrases.has(words.slice(i, i + length).join(" "))) length -= 1;
    if (!length) return null;
    const found = phrases.get(words.slice(i, i + length).join(" "));
    if (found && found[0] in said) return null;
    if (found) said[found[0]] = found[1];
    i += length;
  }
  const applies = said.kind && Object.keys(said).every((name) => applicable(said.kind, grammar).includes(name));
  return applies ? said : null;
}

function applicable(kind, grammar) {
  const without = grammar.shapes.includes(kind) ? grammar.digits_only : [];
  return Object.keys(grammar.values).filter((name) => !without.includes(name));
}

// A text in which all is said, or the text itself, where nothing is open or it cannot be read.
function completed(text, { grammar, length }, random) {
  const said = grammar ? readCaption(wordsOf(text), grammar) : null;
  if (!said) return text;
  const names = applicable(said.kind, grammar);
  if (names.every((name) => name in said)) return text;
  const first = {};
  for (const name of names) {
    const values = Object.keys(grammar.values[name]);
    first[name] = grammar.values[name][said[name] ?? values[Math.floor(random.uniform() * values.length)]][0];
  }
  const full = ["a", ...grammar.order.map((name) => first[name]).filter(Boolean)].join(" ");
  return wordsOf(full).length <= length - 2 ? full : text;
}

function wordsOf(text) {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) ?? [];
}
