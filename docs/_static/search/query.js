// What a query may mean: which words of the site, which names of a term, which parts of a compound.
"use strict";

(() => {
  const LATIN = /^[a-z0-9_-]/;
  const MOST = 40; // words of the site that one word of a query may stand for
  const LONGEST = 4; // words of a query that the site may write as one
  const { key } = siteSearch;
  const isKana = (word) => word >= "ぁ" && word < "ァ";

  // Whether `wanted` is one part of an identifier, or several neighbouring ones: depth of max_depth.
  function hasPart(parts, wanted) {
    for (let from = 0; from < parts.length; from += 1) {
      let joined = "";
      for (let to = from; to < parts.length && joined.length <= wanted.length; to += 1) {
        joined += parts[to];
        if (siteSearch.stem(joined) === wanted) return true;
      }
    }
    return false;
  }

  // Two letters exchanged.
  function* swapped(word) {
    for (let at = 0; at + 1 < word.length; at += 1) yield word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
  }

  // The last word of a query may not be typed to its end.
  function latinLike(index, wanted, isLast, known, weights) {
    const found = [];
    for (const { word, parts } of index.latin) {
      if (word === wanted) continue;
      if (parts && wanted.length > 1 && hasPart(parts, wanted)) found.push([word, known ? weights.partOfKnown : weights.part]);
      else if (wanted.length > (isLast ? 1 : 3) && word.startsWith(wanted)) found.push([word, (isLast ? 0.5 : 0.3) + 0.3 * wanted.length / word.length]);
      else if (wanted.length > 3 && word.includes(wanted)) found.push([word, 0.3]);
    }
    return found;
  }

  function japaneseLike(index, wanted, weights) {
    const found = [];
    for (const word of index.japanese) {
      if (word === wanted) continue;
      const share = wanted.length / word.length;
      if (word.includes(wanted)) {
        if (wanted.length > 1) found.push([word, weights.compound + 0.4 * share]);
        else if (word.length < 4) found.push([word, weights.compound - 0.3 + 0.4 * share]);
      } else if (isKana(wanted) && word.length > 1 && wanted.includes(word)) found.push([word, 0.5]);
    }
    return found;
  }

  // The words of the site that a word of the query may stand for, each with how likely it is (up to 1).
  siteSearch.meanings = (index, asked, isLast, weights) => {
    const wanted = key(asked);
    const known = index.spelled.has(wanted);
    const found = known ? [[wanted, 1]] : [];
    if (!known && wanted.length > 3) {
      for (const word of swapped(asked)) if (index.spelled.has(key(word))) found.push([key(word), weights.swapped]);
    }
    found.push(...(LATIN.test(wanted) ? latinLike(index, wanted, isLast, known, weights) : japaneseLike(index, wanted, weights)));
    return found.sort((a, b) => b[1] - a[1]).slice(0, MOST);
  };

  // How many letters of a word may be wrong.
  siteSearch.slips = (word) => (word.length > 7 || (!LATIN.test(word) && word.length > 5) ? 2 : 1);

  // A compound as the longest words that the site has: 段階的移行方式 is 段階的移行 and 方式.
  function pieces(index, compound) {
    const known = (piece) => index.spelled.has(piece) || (!LATIN.test(piece) && index.japanese.some((word) => word.includes(piece)));
    const found = [];
    for (let from = 0; from < compound.length;) {
      let to = compound.length - (from === 0);
      while (to > from + 1 && !known(compound.slice(from, to))) to -= 1;
      if (to > from + 1) found.push(compound.slice(from, to));
      from = Math.max(to, from + 1);
    }
    return found.length > 1 && found.join("").length >= 0.6 * compound.length ? found : [compound];
  }

  function inParts(index, asked) {
    const wanted = key(asked);
    const parts = (index.spelled.get(wanted) || asked).split("_");
    if (parts.length > 1) return parts;
    return LATIN.test(wanted) && index.spelled.has(wanted) ? [asked] : pieces(index, wanted);
  }

  // The words themselves, and their parts.
  function readings(index, words, weights) {
    const found = [[words, 1]];
    const parts = words.flatMap((word) => inParts(index, word));
    if (parts.length > words.length) found.push([parts, words.every((word) => index.spelled.has(key(word))) ? weights.partsOfKnown : weights.parts]);
    return found;
  }

  const same = (words, others) => words.length === others.length && words.every((word, at) => key(word) === key(others[at]));

  // The other names of the longest term of the glossary that the query has at this place.
  function names(index, asked, at, weights) {
    let size = 1;
    let others = [];
    for (const term of index.terms) {
      for (const { words } of term) {
        if (words.length < size || !same(words, asked.slice(at, at + words.length))) continue;
        if (words.length > size) others = [];
        size = words.length;
        for (const other of term) if (!same(other.words, words)) others.push([other.words, other.isOwn ? weights.ownName : weights.otherName]);
      }
    }
    return { size, others };
  }

  // The query cut into units: a term of the glossary, words that the site writes as one (max depth,
  // sand box), or a single word. Each has readings: words, how much to trust them, whether another name.
  siteSearch.units = (index, asked, weights) => {
    const found = [];
    for (let at = 0; at < asked.length;) {
      let { size, others } = names(index, asked, at, weights);
      for (let most = Math.min(LONGEST, asked.length - at); most > size; most -= 1) {
        if (index.spelled.has(key(asked.slice(at, at + most).join("")))) [size, others] = [most, []];
      }
      const joined = asked.slice(at, at + size).join("");
      if (size > 1 && index.spelled.has(key(joined))) others.push([[joined], 1]);
      const split = others.map(([words, trust]) => [words.flatMap((word) => (LATIN.test(word) ? [word] : inParts(index, word))), trust * weights.parts]);
      const named = [...others, ...split.filter(([words], number) => words.length > others[number][0].length)];
      found.push([
        ...readings(index, asked.slice(at, at + size), weights).map(([words, trust]) => ({ words, trust, isName: false })),
        ...named.map(([words, trust]) => ({ words, trust, isName: true })),
      ]);
      at += size;
    }
    return found;
  };
})();
