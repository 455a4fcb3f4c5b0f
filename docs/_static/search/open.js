// Opens the search when a reader asks for it; until then nothing of it is loaded. The field stands at
// once, for the letters that are typed while the rest comes.
"use strict";
var siteSearch = (() => {
  const root = document.documentElement.dataset.content_root;
  const page = (text) => `${root}search.html?${new URLSearchParams({ q: text.slice(0, 500) })}`; // what is read of it
  const loaded = new Map();
  let dialog;

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

  function open() {
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.className = "search";
      dialog.innerHTML = '<form><input type="search" name="q"></form>';
      dialog.firstChild.action = `${root}search.html`;
      document.body.append(dialog);
    }
    const field = dialog.querySelector("input");
    if (!dialog.open) dialog.showModal();
    field.focus();
    field.select();
    Promise.all([own("search.css results.js overlay.js"), load("search/labels.js")])
      .then(() => siteSearch.show(dialog), () => location.assign(page(field.value)));
  }

  document.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    const key = event.key || ""; // a browser that fills in a form names no key
    const isLetter = key.length === 1 || key === "Process"; // the latter by an input method
    if (command ? key.toLowerCase() === "k" : !event.altKey && (field ? field.matches(".sidebar-search") && isLetter : key === "/")) {
      if (command || key === "/") event.preventDefault();
      const here = document.querySelector("#search-form input");
      if (here) here.focus();
      else open(); // what is typed in the sidebar goes into the field that opens
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest(".sidebar-search, .search-open")) open();
  });
  return { load, own, page, root };
})();
