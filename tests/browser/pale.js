// Texts that are paler than level AA of WCAG 2.1 asks for: 4.5 to 1, and 3 to 1 where they are large: `[contrast, text]`.

for (const a of document.getAnimations()) if (a.effect?.getComputedTiming().endTime < Infinity) a.finish();
const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const known = {};
const rgba = (colour) => known[colour] ??= (() => {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = colour;
  pixel.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
})();
const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
const behind = (e) => {
  if (!e) return [255, 255, 255];
  const colour = rgba(getComputedStyle(e).backgroundColor);
  return colour[3] === 1 ? colour.slice(0, 3) : over(colour, behind(e.parentElement));
};
const light = (c) => {
  const linear = (s) => (s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = c.map((v) => linear(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const own = (e) => (e.matches("input, select") ? e.value
  : [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("")).trim();
const shown = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.offsetWidth > 1;
const left = "svg, [disabled], [type=range], mjx-container";
return [...document.querySelectorAll("body, body *")].filter((e) => own(e) && shown(e) && !e.closest(left))
  .map((e) => {
    const style = getComputedStyle(e), under = behind(e), size = parseFloat(style.fontSize);
    const [a, b] = [light(over(rgba(style.color), under)), light(under)];
    const wanted = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return [contrast, wanted, `${own(e).slice(0, 40)} (${e.tagName} ${e.className})`];
  }).filter(([contrast, wanted]) => contrast < wanted).map(([contrast, , text]) => [contrast.toFixed(2), text]);
