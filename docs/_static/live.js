// A live page is loaded when it is asked for, and takes the place of its picture; it says how high it is.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".live a.button");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const frame = document.createElement("iframe");
  frame.title = link.textContent;
  addEventListener("message", ({ source, data }) => {
    if (source === frame.contentWindow && data?.ganedu === "height") frame.style.height = `${data.height + 4}px`;
  });
  frame.src = link.href;
  link.closest(".live").replaceChildren(frame);
  frame.focus();
});
