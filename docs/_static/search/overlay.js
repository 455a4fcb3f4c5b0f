// The search over the page that is being read.
"use strict";

(() => {
  const SHOWN = 8;
  const SAID = 600; // milliseconds without a key before the number of results is read out
  const { element } = siteSearch;
  const label = (name, value) => siteSearch.labels[name].replace("%s", value);
  let [dialog, field, list, status, nothing, all] = [];
  let items = [];
  let chosen = -1;
  let answers = 0; // a screen reader takes an element with a new name for a new one
  let touched = false; // by arrow, pointer or scrolling: the order then stays
  let entered = false; // Enter was pressed before the results stood
  let said = ""; // or about to be
  let counting = false; // the last thing said was a number of results
  let pressed; // where the pointer went down: a selection may end on the backdrop
  let timer;

  function choose(at, scroll = true) {
    chosen = at;
    items.forEach((item, number) => item.setAttribute("aria-selected", number === at));
    if (at < 0) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", items[at].id);
      if (scroll) items[at].scrollIntoView({ block: "nearest" });
    }
  }

  // Numbers that change with each key are not read out one after the other.
  function say(text, isNumber = false) {
    if (text === said) return;
    said = text;
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = text; }, isNumber && counting ? SAID : 0);
    counting = isNumber;
  }

  function option(href, ...content) {
    return element("a", { role: "option", tabindex: "-1", href, "aria-selected": "false" }, ...content);
  }

  function show(query, { items: found, count, done }) {
    items = found;
    answers += 1;
    items.forEach((item, at) => {
      item.id = `search-${answers}-${at}`;
      const lines = ["title", "section", "part"].map((name) => item.querySelector(`.search-${name}`).textContent);
      item.setAttribute("aria-label", lines.filter(Boolean).join(", "));
    });
    list.replaceChildren(...items);
    list.setAttribute("aria-busy", !done);
    nothing.replaceChildren(...(count ? [] : siteSearch.nothing(query)));
    say(label(count ? "count" : "nothing", count), true);
    all.hidden = count <= items.length;
    all.firstChild.textContent = label("all", count);
    all.firstChild.href = siteSearch.page(query);
  }

  function empty(text) {
    items = [];
    list.replaceChildren();
    nothing.replaceChildren();
    all.hidden = true;
    say(text);
  }

  function answer() {
    const query = field.value.trim();
    if (!query) empty(label("hint"));
    else if (siteSearch.built) show(query, siteSearch.answer(query, SHOWN, option, again));
    else {
      empty(label("loading"));
      siteSearch.ready().then(answer, () => say(label("failed")));
    }
    list.hidden = !items.length;
    field.setAttribute("aria-expanded", items.length > 0);
    choose(items.length ? 0 : -1, false);
    if (entered && items.length && list.getAttribute("aria-busy") === "false") items[0].click();
  }

  // The text of the results is here: passages are shown, and the order may change.
  function again(query) {
    if (query !== field.value.trim()) return;
    const order = touched ? items.map((item) => item.pathname) : [];
    const [scrolled, page] = [list.scrollTop, chosen >= 0 && items[chosen].pathname];
    answer();
    if (!touched) return;
    const place = (item) => (order.indexOf(item.pathname) + 1 || SHOWN + 1);
    items.sort((a, b) => place(a) - place(b));
    list.replaceChildren(...items);
    list.scrollTop = scrolled;
    choose(Math.max(0, items.findIndex((item) => item.pathname === page)), false);
  }

  function keys(event) {
    if (event.isComposing || event.keyCode === 229) return; // Enter ends a conversion of Japanese
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") dialog.close();
    else if (step && items.length) {
      touched = true;
      choose((chosen + step + items.length) % items.length);
    } else if (event.key === "Enter") {
      if (event.ctrlKey || event.metaKey) window.open(items[chosen]?.href, "_blank", "noopener");
      else if (chosen >= 0 && (touched || list.getAttribute("aria-busy") === "false")) items[chosen].click();
      else entered = true;
    } else return;
    event.preventDefault();
  }

  function build(opened) {
    dialog = opened;
    field = dialog.querySelector("input");
    list = element("div", { id: "search-found", role: "listbox", "aria-label": label("results") });
    status = element("p", { role: "status" });
    nothing = element("p", { class: "search-nothing" });
    all = element("p", { class: "search-all" }, element("a", { href: "" }));
    const attributes = {
      role: "combobox", "aria-label": label("search"), "aria-expanded": "false", "aria-controls": "search-found", "aria-autocomplete": "list",
      autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "go", placeholder: label("search"),
    };
    for (const [name, value] of Object.entries(attributes)) field.setAttribute(name, value);
    const close = element("button", { type: "button", "aria-label": label("close") }, "✕");
    field.form.setAttribute("role", "search");
    field.form.append(close);
    dialog.setAttribute("aria-label", label("search"));
    dialog.append(status, list, nothing, all);
    field.addEventListener("input", () => {
      [touched, entered] = [false, false];
      answer();
    });
    field.addEventListener("keydown", keys);
    field.form.addEventListener("submit", (event) => event.preventDefault());
    close.addEventListener("click", () => dialog.close());
    list.addEventListener("pointermove", (event) => {
      const at = items.indexOf(event.target.closest("[role=option]"));
      touched = true;
      if (at >= 0 && at !== chosen) choose(at, false);
    });
    list.addEventListener("wheel", () => { touched = true; }, { passive: true });
    list.addEventListener("touchmove", () => { touched = true; }, { passive: true });
    dialog.addEventListener("pointerdown", (event) => { pressed = event.target; });
    dialog.addEventListener("click", (event) => {
      // The backdrop closes; so does a result, which may be on the page that is open already.
      const newTab = event.ctrlKey || event.metaKey || event.shiftKey;
      if ((event.target === dialog && pressed === dialog) || (event.target.closest("[role=option]") && !newTab)) dialog.close();
    });
    dialog.addEventListener("close", () => { entered = false; });
  }

  siteSearch.show = (opened) => {
    if (!dialog) build(opened);
    siteSearch.ready().catch(() => {}); // loads while the reader types
    answer();
  };
})();
