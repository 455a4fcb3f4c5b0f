// Opens the search when a reader asks for it; until then nothing of it is loaded.
"use strict";
var siteSearch = (() => {
  const root = document.documentElement.dataset.content_root;
  const page = (text) => `${root}search.html?${new URLSearchParams({ q: text })}`;
  const loaded = new Map();

  // Scripts, not fetch: a browser fetches nothing from file://.
  function load(file) {
    if (!loaded.has(file)) {
      loaded.set(file, new Promise((done, failed) => {
        const css = file.endsWith(".css");
        const element = document.createElement(css ? "link" : "script");
        Object.assign(element, css ? { rel: "stylesheet", href: root + file } : { async: false, src: root + file });
        element.onload = done;
        element.onerror = () => { loaded.delete(file); failed(file); };
        document.head.append(element);
      }));
    }
    return loaded.get(file);
  }

  const own = (names) => Promise.all(names.split(" ").map((name) => load(`_static/search/${name}`)));
  const show = () => Promise.all([own("search.css results.js overlay.js"), load("search/labels.js")]);
  const open = (text) => show().then(() => siteSearch.show(text), () => location.assign(page(text)));

  const field = document.querySelector(".sidebar-search");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if ((event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      open("");
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target === field || event.target.closest(".search-open")) open(field.value);
  });
  field.addEventListener("input", () => open(field.value));
  return { load, own, page, root };
})();
