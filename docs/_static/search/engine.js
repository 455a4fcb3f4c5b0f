// Ranks the pages for a query. MiniSearch scores single words; query.js says which words are meant.
"use strict";

(() => {
  // Found with tests/site/queries/tuning.json; what each is for:
  const weights = {
    boost: { title: 7, headings: 1.5, lead: 1.5, asked: 2.5, prose: 1, often: 0.5, code: 0.5 },
    bm25: { k: 1.2, b: 0.75, d: 0 },
    half: 12, // MiniSearch's score at which a page answers a word by half
    coverage: 0.4, // exponent: how much it costs not to have some words of the query
    rarest: 0.2, // least weight of a word that stands on most pages
    light: 0.1, // weight of words that ask but say little: how, to, する
    slip: 0.5, // a word with wrong letters
    sure: 0.6, // a meaning as likely as this makes a search for slips needless
    swapped: 0.8, // a word with two letters exchanged
    part: 0.6, // an identifier that has the word as a part
    partOfKnown: 0.3, // the same, if the word also stands alone
    compound: 0.5, // a Japanese compound that has the word in it (and more, the shorter it is)
    parts: 0.85, // the parts of a word that the site does not have
    partsOfKnown: 0.21, // the parts of a word that it has
    together: 0.3, // parts that stand on the page as one word
    ownName: 0.95, // another name of a term in the language of the site
    otherName: 0.6, // its name in the other language
    called: 1.3, // a page whose title or address is the query
    parent: 1.03, // a page with pages below it
    list: 0.66, // a page that only names what others are about,
    listTitle: 0.5, // unless its title says so much of the query
    far: 0.12, // share of the best score below which a page is not shown
  };
  const LONGEST = 500; // characters of a query that are read, and
  const MOST = 32; // words
  const KEPT = 3000; // scores of words
  const [LIST, PARENT] = [1, 2]; // kinds of pages, beside 0
  const DEFINING = /^\s*what (is|are)\b|とは|意味/i;
  const ASKING = /^\s*(how|why|what|when|where|which|who|can|could|do|does|is|are|should)\b/i;
  const CODE = /[\d_=:$"'`/\\(){}<>[\]]/;
  const UNCONVERTED = /^[ぁ-ゖー\s]+$/;
  const { key, isLight } = siteSearch;

  // --- the index --------------------------------------------------------------------------------

  function build(pages, columns) {
    const fields = Object.keys(weights.boost);
    const documents = pages.map((_, id) => ({ id, ...Object.fromEntries(fields.map((field) => [field, []])) }));
    const spelled = new Map(); // of each word, the spelling that shows its parts
    const outsideCode = new Map(); // of each word, the pages whose prose or headings have it
    const [words, ...standsIn] = columns.map((column) => column.split("\n"));
    words.forEach((word, row) => {
      spelled.set(key(word), word);
      outsideCode.set(key(word), new Set());
      fields.forEach((field, column) => {
        for (const sign of standsIn[column][row]) {
          const code = sign.charCodeAt(0);
          const page = code - 35 - (code > 92);
          documents[page][field].push(key(word));
          if (field !== "code" && field !== "asked") outsideCode.get(key(word)).add(page);
        }
      });
    });
    const mini = new MiniSearch({
      fields,
      extractField: (document, field) => (field === "id" ? document.id : document[field].join(" ")),
      tokenize: (text) => text.split(" "),
      processTerm: (word) => word,
    });
    const all = [...spelled].map(([word, spelling]) => ({ word, parts: spelling.includes("_") ? spelling.split("_") : null }));
    return {
      documents,
      mini,
      spelled,
      outsideCode,
      latin: all.filter(({ word }) => word < "\u0100"),
      japanese: all.map(({ word }) => word).filter((word) => word >= "\u0100"),
      scores: new Map(),
    };
  }

  // Called by search/words.js. `siteSearch.building` resolves when queries can be answered.
  siteSearch.index = (pages, parts, terms, columns) => {
    const { documents, ...index } = build(pages, columns);
    const words = (name, isOwn) => ({ words: siteSearch.words(name), isOwn });
    const called = (name) => key(siteSearch.words(name).filter((word) => !isLight(word)).join(""));
    Object.assign(index, {
      parts,
      pages: pages.map(([name, title, part, kind]) => ({
        name,
        title,
        part,
        kind,
        titled: siteSearch.words(title).map(key),
        called: [title, title.split(/[:：（(]/)[0], name.split("/").pop()].map(called),
      })),
      terms: terms.map(([own, other]) => [...own.map((name) => words(name, true)), ...other.map((name) => words(name, false))]),
      names: [...pages.map(([, title]) => title), ...terms.flatMap(([own]) => own)],
    });
    siteSearch.building = index.mini.addAllAsync(documents, { chunkSize: 8 }).then(() => { siteSearch.built = index; });
  };

  // --- one word ---------------------------------------------------------------------------------

  // MiniSearch's scores of one word: { pages: Map of page and score, words: those that were found }.
  function scored(index, word, slips = 0) {
    const name = `${slips}${word}`;
    if (!index.scores.has(name)) {
      const { boost, bm25, slip } = weights;
      const found = index.mini.search(word, { boost, bm25, fuzzy: slips, weights: { fuzzy: slip, prefix: 0 } });
      index.scores.set(name, {
        pages: new Map(found.map(({ id, score }) => [id, score])),
        words: new Set(found.flatMap(({ terms }) => terms)),
      });
    }
    return index.scores.get(name);
  }

  const share = (score) => score / (score + weights.half);

  // How well each page answers a word (0 to 1), what the word was taken for, and how much it says.
  function answers(index, asked, isLast) {
    const wanted = key(asked);
    const meanings = siteSearch.meanings(index, asked, isLast, weights);
    const scores = new Map();
    const add = (score, page) => scores.set(page, Math.max(score, scores.get(page) || 0));
    for (const [word, weight] of meanings) scored(index, word).pages.forEach((score, page) => add(weight * score, page));
    if (wanted.length > 3 && !(meanings.length && meanings[0][1] >= weights.sure)) {
      const near = scored(index, wanted, siteSearch.slips(wanted));
      near.pages.forEach(add);
      for (const word of near.words) meanings.push([word, weights.slip]);
    }
    const many = index.pages.length + 1;
    const rare = Math.log(many / (scores.size + 0.5)) / Math.log(many);
    return {
      asked,
      meanings,
      says: Math.max(rare, weights.rarest) * (isLight(asked) ? weights.light : 1),
      pages: new Map([...scores].map(([page, score]) => [page, share(score)])),
    };
  }

  // --- a unit of the query ----------------------------------------------------------------------

  // How well each page answers one reading of a unit: { value, covered }, both 0 to 1.
  function answersAll(index, words, found) {
    const says = found.reduce((sum, word) => sum + word.says, 0);
    const pages = new Map();
    for (const word of found) {
      word.pages.forEach((answered, page) => {
        const { value, covered } = pages.get(page) || { value: 0, covered: 0 };
        pages.set(page, { value: value + answered * word.says / says, covered: covered + word.says / says });
      });
    }
    const joined = key(words.join(""));
    if (words.length > 1 && index.spelled.has(joined)) {
      scored(index, joined).pages.forEach((score, page) => {
        pages.set(page, { value: (pages.get(page)?.value || 0) + weights.together * share(score), covered: 1 });
      });
    }
    return { says, pages };
  }

  // The best reading of a unit on each page, what its words may be, and how much the unit says.
  function answersUnit(index, readings, isLast) {
    const unit = { says: 0, pages: new Map(), words: new Map(), shown: new Map(), names: [] };
    for (const { words, trust, isName } of readings) {
      const found = words.map((word, at) => answers(index, word, isLast && at === words.length - 1));
      const { says, pages } = answersAll(index, words, found);
      if (isName) unit.names.push({ words: words.map(key), trust });
      if (pages.size && !unit.says) unit.says = says;
      pages.forEach(({ value, covered }, page) => {
        const better = { value: trust * value * covered, covered };
        if (better.value > (unit.pages.get(page)?.value || 0)) unit.pages.set(page, better);
      });
      for (const { asked, meanings } of found) {
        for (const [word, weight] of meanings) {
          unit.words.set(word, Math.max(unit.words.get(word) || 0, trust * weight / found.length));
          if (!isLight(asked) && weight > 0.25) unit.shown.set(word, Math.max(unit.shown.get(word) || 0, weight));
        }
      }
    }
    unit.says ||= 1;
    return unit;
  }

  // --- the query --------------------------------------------------------------------------------

  function prior(page, query, called, units, says) {
    let factor = page.called.includes(called) ? weights.called : 1;
    if (page.kind === PARENT) factor *= weights.parent;
    if (page.kind === LIST && !DEFINING.test(query)) {
      const inTitle = units.filter(({ words }) => page.titled.some((word) => words.get(word) > 0.8));
      if (inTitle.reduce((sum, unit) => sum + unit.says, 0) < weights.listTitle * says) factor *= weights.list;
    }
    return factor;
  }

  // What stands on a page as the reader typed it, for highlighting.
  function pieces(query) {
    const kana = /(?<=\p{Script=Hiragana})(?!\p{Script=Hiragana})|(?<!\p{Script=Hiragana})(?=\p{Script=Hiragana})/u;
    const cut = query.normalize("NFKC").toLowerCase().split(/[^\p{L}\p{N}ー]+/u).flatMap((piece) => piece.split(kana));
    return cut.filter((piece) => piece.length > (/[a-z]/.test(piece) ? 2 : 1) && !/^\p{Script=Hiragana}+$/u.test(piece));
  }

  // The pages that answer a query, best first, with what the passages are chosen by.
  siteSearch.rank = (index, typed) => {
    const query = typed.slice(0, LONGEST);
    const asked = siteSearch.words(query).slice(0, MOST);
    if (index.scores.size > KEPT) index.scores.clear();
    const readings = siteSearch.units(index, asked, weights);
    const units = readings.map((unit, at) => answersUnit(index, unit, at === readings.length - 1));
    const says = units.reduce((sum, unit) => sum + unit.says, 0) || 1;
    const total = new Map();
    for (const unit of units) {
      unit.pages.forEach((answered, page) => {
        const { value, covered } = total.get(page) || { value: 0, covered: 0 };
        total.set(page, { value: value + answered.value * unit.says / says, covered: covered + answered.covered * unit.says / says });
      });
    }
    const called = key(asked.filter((word) => !isLight(word)).join(""));
    const results = [...total].map(([number, { value, covered }]) => {
      const page = index.pages[number];
      const score = value * Math.min(1, covered) ** weights.coverage * prior(page, query, called, units, says);
      return { number, page: page.name, title: page.title, part: page.part, score };
    });
    results.sort((a, b) => b.score - a.score);
    // Not converted yet by the input method: しゃどー.
    if (!results.length && UNCONVERTED.test(query) && /[ぁ-ゖ]/.test(query)) {
      return siteSearch.rank(index, query.replace(/[ぁ-ゖ]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) + 96)));
    }
    // A single word is in one piece wherever it stands: that tells something only beside its other names.
    const names = units.flatMap((unit) => unit.names.map(({ words, trust }) => ({ words, weight: trust * unit.says / says })))
      .filter(({ words }) => words.length > 1 || units.length === 1);
    return {
      results: results.filter(({ score }) => score >= weights.far * results[0].score),
      units,
      says,
      phrases: asked.length > 1 || names.length ? [{ words: asked.map(key), weight: 1 }, ...names] : [],
      pieces: pieces(query),
      // Code or output, which is on its page as it is written.
      pasted: asked.length > 2 && (CODE.test(query) || (asked.length > 5 && !ASKING.test(query))),
    };
  };

  // Whether some words of the query stand on a page in code alone.
  siteSearch.onlyInCode = (index, { number }, found) => found.units.some(
    ({ words, pages }) => pages.has(number) && ![...words.keys()].some((word) => index.outsideCode.get(word)?.has(number)),
  );

  // Titles and terms that look like a query that no page answers.
  siteSearch.near = (index, query) => {
    const pairs = (text) => {
      const plain = siteSearch.normal(text).replace(/[^a-z0-9ぁ-ゖァ-ヺ一-龠々]/g, "");
      return new Set(Array.from({ length: Math.max(plain.length - 1, 0) }, (_, at) => plain.slice(at, at + 2)));
    };
    const wanted = pairs(query.slice(0, 100));
    const alike = [...new Set(index.names)].map((name) => {
      const held = pairs(name);
      const common = [...held].filter((pair) => wanted.has(pair)).length;
      return { name, share: 2 * common / (held.size + wanted.size || 1) };
    });
    return alike.filter(({ share }) => share > 0.45).sort((a, b) => b.share - a.share).slice(0, 3).map(({ name }) => name);
  };
})();
