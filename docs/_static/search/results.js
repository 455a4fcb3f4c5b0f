// Loads the index, and shows results: page, section, passage and part of the site.
"use strict";

(() => {
  const ENGINE = "base-stemmer.js porter-stemmer.js minisearch.js spelling.js query.js engine.js passages.js";
  const BEFORE = 20; // characters of a passage before the first word that was found
  const CHUNK = /[A-Za-z0-9\uff10-\uff5a]+(?:[_-][A-Za-z0-9\uff10-\uff5a]+)*|[ァ-ヺー・\uff66-\uff9f]+|[一-龠々]+(?:[いえきぎけげしせちってびべみめりれ][一-龠々]+)*|[ぁ-ゖ]{2,}/g;
  const SHOWN = 8; // results whose text is looked into, and
  const DEEP = 12; // so many for a query of more words than
  const SHORT = 3;
  const DEEPEST = 24;
  const PAUSE = 100; // milliseconds without a key before passages that are not here yet are loaded
  let ready = null;
  let timer;
  let tried = ""; // the query whose texts have been asked for, and how many

  // Resolves when queries can be answered.
  siteSearch.ready = () => {
    ready ||= siteSearch.own(ENGINE)
      .then(() => siteSearch.load("search/words.js"))
      .then(() => siteSearch.building)
      .then(() => { if (!siteSearch.built) throw new Error("a script of the search did not run"); });
    return ready;
  };

  function element(name, attributes, ...content) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...content);
    return made;
  }
  siteSearch.element = element;

  // The text with what was found in <mark>; text stays text, whatever it holds.
  function marked(text, found, from = 0, to = text.length) {
    const parts = [];
    let at = from;
    for (const match of text.matchAll(CHUNK)) {
      const [start, end] = siteSearch.hit(match[0], found) || [];
      if (end === undefined || match.index + end > to || match.index + start < at) continue;
      parts.push(text.slice(at, match.index + start), element("mark", {}, text.slice(match.index + start, match.index + end)));
      at = match.index + end;
    }
    return [...parts, text.slice(at, to)];
  }

  // Where a passage begins: so that most of what was found is in it.
  function start(text, found, length) {
    const hits = [...text.matchAll(CHUNK)].filter((match) => siteSearch.hit(match[0], found)).map((match) => match.index);
    let best = { many: 0, from: 0 };
    for (const hit of hits) {
      const many = hits.filter((other) => other >= hit && other < hit + length - BEFORE).length;
      if (many > best.many) best = { many, from: hit - BEFORE };
    }
    const from = Math.max(0, Math.min(best.from, text.length - length));
    return from && from + text.slice(from, from + BEFORE).search(/[\s、。]|$/) + 1;
  }

  function excerpt(text, found, length) {
    const from = text.length > length ? start(text, found, length) : 0;
    let to = Math.min(text.length, from + length);
    if (to < text.length) to = Math.max(text.lastIndexOf(" ", to), text.lastIndexOf("、", to), to - BEFORE);
    return [from > 0 ? "… " : "", ...marked(text, found, from, to), to < text.length ? " …" : ""];
  }

  const needsCode = (index, entry, found) => found.pasted || siteSearch.onlyInCode(index, entry, found);
  const texts = (page, withCode) => Promise.all([
    siteSearch.load(`search/prose/${page}.js`),
    withCode && siteSearch.load(`search/code/${page}.js`),
  ]);

  function fill(item, result, found) {
    const { section, block } = siteSearch.passage(result.page, found);
    const link = item.matches("a") ? item : item.querySelector("a");
    if (!section) return;
    const isTop = section === siteSearch.sections(result.page)[0];
    if (!isTop) link.hash = section.anchor;
    item.querySelector(".search-section").replaceChildren(...(isTop ? [] : marked(section.title, found)));
    // A page whose title alone was asked for says what it is about.
    const shown = block?.shown || (isTop && siteSearch.lead(result.page)) || section.blocks[0]?.shown || "";
    const passage = element(block && block.isCode ? "code" : "span", {}, ...excerpt(shown, found, siteSearch.labels.passage));
    item.querySelector(".search-passage").replaceChildren(passage);
  }

  // One result. `make` gives the element that holds its lines.
  function result(index, found, entry, make) {
    const item = make(
      `${siteSearch.root}${entry.page}.html`,
      element("span", { class: "search-title" }, ...marked(entry.title, found)),
      element("span", { class: "search-where" }, element("span", { class: "search-part" }, index.parts[entry.part] || index.pages[0].title), element("span", { class: "search-section" })),
      element("span", { class: "search-passage" }),
    );
    if (siteSearch.hasText(entry.page, needsCode(index, entry, found))) fill(item, entry, found);
    return item;
  }

  // What is shown when no page answers: what looks like the query, or what else to try.
  siteSearch.nothing = (query) => {
    const near = siteSearch.near(siteSearch.built, query).map((name) => element("button", { type: "button", class: "search-near" }, name));
    return near.length ? [siteSearch.labels.near, " ", ...near] : [siteSearch.labels.advice];
  };
  document.addEventListener("click", (event) => {
    if (!event.target.matches(".search-near")) return;
    const field = event.target.closest("dialog, article").querySelector("input");
    field.value = event.target.textContent;
    field.focus();
    field.dispatchEvent(new Event("input"));
  });

  // How many of the first results are looked into: more for a long query, and more again for pasted
  // code that is on none of them as it is written.
  function look(index, found) {
    const hasText = (entry) => siteSearch.hasText(entry.page, needsCode(index, entry, found));
    const isLong = found.phrases.some(({ words }) => words.length > SHORT);
    let deep = isLong ? DEEP : SHOWN;
    let first = found.results.slice(0, deep);
    let refined = first.every(hasText) && siteSearch.refine(first, found);
    if (isLong && found.pasted && refined && !refined.some(({ isWhole }) => isWhole)) {
      deep = DEEPEST;
      first = found.results.slice(0, deep);
      refined = first.every(hasText) && siteSearch.refine(first, found);
    }
    return { deep, first: refined || first };
  }

  // Answers a query: { items, count, done }. Passages, and the last word on the order, need the text of
  // the first results. What of it is not here is loaded once no key is pressed; then `again` is called.
  siteSearch.answer = (query, limit, make, again) => {
    const index = siteSearch.built;
    const found = siteSearch.rank(index, query);
    const { deep, first } = look(index, found);
    const missing = found.results.slice(0, Math.max(deep, limit)).filter((entry) => !siteSearch.hasText(entry.page, needsCode(index, entry, found)));
    const tries = `${deep} ${query}`;
    const done = !missing.length || tried === tries;
    clearTimeout(timer);
    if (!done) {
      timer = setTimeout(() => {
        tried = tries;
        Promise.allSettled(missing.map((entry) => texts(entry.page, needsCode(index, entry, found)))).then(() => again(query));
      }, PAUSE);
    }
    const items = [...first, ...found.results.slice(deep)].slice(0, limit).map((entry) => result(index, found, entry, make));
    return { items, count: found.results.length, done };
  };
})();
