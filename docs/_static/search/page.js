// The page of results: its address can be shared, and nothing has to open over it.
"use strict";

(() => {
  const MOST = 40;
  const form = document.getElementById("search-form");
  const field = form.elements.q;
  const list = document.getElementById("search-results");
  const status = form.querySelector("[role=status]");
  const nothing = document.getElementById("search-nothing");
  const title = document.title;

  function answer() {
    const { element, labels } = siteSearch;
    const query = field.value.trim();
    history.replaceState(null, "", query ? siteSearch.page(query) : location.pathname);
    document.title = query ? `${query} – ${title}` : title;
    nothing.replaceChildren();
    if (!query) {
      list.replaceChildren();
      status.textContent = labels.hint;
      return;
    }
    const item = (href, title, ...rest) => element("li", {}, element("a", { href }, title), ...rest);
    const { items, count, done } = siteSearch.answer(query, MOST, item, (asked) => { if (asked === field.value.trim()) answer(); });
    list.replaceChildren(...items);
    list.setAttribute("aria-busy", !done);
    status.textContent = labels[count ? "count" : "nothing"].replace("%s", count);
    if (!count) nothing.replaceChildren(...siteSearch.nothing(query));
  }

  function start() {
    return Promise.all([siteSearch.own("search.css results.js"), siteSearch.load("search/labels.js")])
      .then(() => { if (!siteSearch.built) status.textContent = siteSearch.labels.loading; return siteSearch.ready(); })
      .then(answer)
      .catch(() => { status.textContent = form.dataset.failed; });
  }

  field.addEventListener("input", start);
  form.addEventListener("submit", (event) => { event.preventDefault(); start(); });
  field.value = new URLSearchParams(location.search).get("q") || "";
  form.hidden = false;
  if (field.value) start();
  else field.focus();
})();
