// A page that is opened as a file cannot read other pages: its search then shows titles without excerpts. And a browser
// shows a notebook that it should save, so that its text comes as a script, which a page may load.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  window.saveNotebook = (name, text) => {
    const href = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
    Object.assign(document.createElement("a"), { href, download: name }).click();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[download][href$=".ipynb"]');
    if (!link) return;
    event.preventDefault();
    document.head.append(Object.assign(document.createElement("script"), { src: `${link.href}.js` }));
  });
}
