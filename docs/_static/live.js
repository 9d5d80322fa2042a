// A live page is light or dark as this one is: it is told when it is opened, and, within this page, when that changes. It
// is loaded when it is asked for, and takes the place of its picture; it says how high it is.
const theme = () => document.documentElement.dataset.theme;

document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href*="live/"]:not([href*="//"])');
  if (!link) return;
  link.hash = theme();
  if (!link.matches(".live a.button") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const frame = document.createElement("iframe");
  frame.title = link.textContent;
  addEventListener("message", ({ source, data }) => {
    if (source === frame.contentWindow && data?.ganedu === "height") frame.style.height = `${data.height + 4}px`;
  });
  const tell = () => frame.contentWindow?.postMessage({ ganedu: "theme", theme: theme() }, "*");
  frame.addEventListener("load", tell);
  new MutationObserver(tell).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  frame.src = link.href;
  link.closest(".live").replaceChildren(frame);
  frame.focus();
});
