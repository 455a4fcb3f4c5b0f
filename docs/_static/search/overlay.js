// The search over the page that is being read.
"use strict";

(() => {
  const SHOWN = 8;
  const { element } = siteSearch;
  const label = (name, ...values) => values.reduce((text, value) => text.replace("%s", value), siteSearch.labels[name]);
  let dialog = null;
  let field;
  let list;
  let status;
  let all;
  let items = [];
  let chosen = -1;

  function choose(at) {
    chosen = at;
    items.forEach((item, number) => item.setAttribute("aria-selected", number === at));
    if (at >= 0) {
      field.setAttribute("aria-activedescendant", items[at].id);
      items[at].scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  }

  function option(href, ...content) {
    return element("a", { role: "option", tabindex: "-1", href, "aria-selected": "false" }, ...content);
  }

  function answer() {
    const query = field.value.trim();
    all.hidden = !query;
    all.firstChild.href = siteSearch.page(query);
    items = [];
    if (!query) {
      list.replaceChildren();
      status.textContent = label("hint");
    } else if (siteSearch.built) {
      const { items: found, count, done } = siteSearch.answer(query, SHOWN, option, again);
      items = found;
      items.forEach((item, at) => { item.id = `search-${at}`; });
      list.replaceChildren(...items);
      list.setAttribute("aria-busy", !done);
      status.replaceChildren(count ? label("count", count) : siteSearch.nothing(query));
    } else {
      status.textContent = label("loading");
      siteSearch.ready().then(answer, () => { status.textContent = label("failed"); });
    }
    list.hidden = !items.length;
    field.setAttribute("aria-expanded", items.length > 0);
    choose(items.length ? 0 : -1);
  }

  // The text of the results is here: the order may change, the choice of the reader does not.
  function again(query) {
    if (query !== field.value.trim()) return;
    const page = chosen > 0 && items[chosen].pathname;
    answer();
    const at = items.findIndex((item) => item.pathname === page);
    if (at > 0) choose(at);
  }

  function keys(event) {
    if (event.isComposing || event.keyCode === 229) return; // Enter ends a conversion of Japanese
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && items.length) choose((chosen + step + items.length) % items.length);
    else if (event.key === "Enter" && chosen >= 0) {
      if (event.ctrlKey || event.metaKey) window.open(items[chosen].href);
      else items[chosen].click();
    } else return;
    event.preventDefault();
  }

  function build() {
    field = element("input", {
      type: "search", name: "q", role: "combobox", "aria-label": label("search"), "aria-expanded": "false", "aria-controls": "search-found",
      "aria-autocomplete": "list", autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "go", placeholder: label("search"),
    });
    list = element("div", { id: "search-found", role: "listbox", "aria-label": label("results") });
    status = element("p", { role: "status" });
    all = element("p", { class: "search-all" }, element("a", { href: "" }, label("all")));
    const close = element("button", { type: "button", "aria-label": label("close") }, "✕");
    dialog = element("dialog", { class: "search", "aria-label": label("search") }, element("form", { role: "search" }, field, close), status, list, all);
    field.addEventListener("input", answer);
    field.addEventListener("keydown", keys);
    field.form.addEventListener("submit", (event) => event.preventDefault());
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      // The backdrop closes; so does a result on the page that is open already.
      if (event.target === dialog || event.target.closest("[role=option]")) dialog.close();
    });
    document.body.append(dialog);
  }

  siteSearch.show = (text) => {
    if (!dialog) build();
    if (text) field.value = text;
    if (!dialog.open) dialog.showModal();
    field.focus();
    field.select();
    siteSearch.ready().catch(() => {}); // loads while the reader types
    answer();
  };
})();
