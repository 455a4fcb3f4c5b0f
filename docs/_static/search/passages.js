// The text of pages, as far as it is loaded: finds the passage that answers, and what to highlight.
"use strict";

(() => {
  const IN_ONE_PIECE = 2; // a page that holds the whole query in one piece scores 1 + this as much
  const [SECTION, BLOCK, TITLE] = [0.4, 0.4, 0.3]; // what a passage's choice goes by
  // Of little use as a passage: what is wrong about a thing, and where it was read.
  const ASIDE = /-(corrections|sources?)$/;
  const SOURCE = /^(出典|Sources?)[:：]/;
  const SURE = 0.5; // how likely a word must be meant to be highlighted as a whole
  const texts = new Map();

  function text(page) {
    if (!texts.has(page)) texts.set(page, { prose: false, code: false, sections: [] });
    return texts.get(page);
  }

  const block = (shown, isCode = false) => ({ shown, isCode, words: null });
  const wordsOf = (block) => (block.words ||= siteSearch.words(block.shown).map(siteSearch.key));
  const sectionOf = (known, at) => (known.sections[at] ||= { blocks: [] });

  // Called by search/prose/….js and search/code/….js, which come in any order.
  siteSearch.prose = (page, lead, sections) => {
    const known = text(page);
    sections.forEach(([anchor, title, blocks], at) => {
      const section = sectionOf(known, at);
      Object.assign(section, { anchor, title, heading: block(title) });
      section.blocks.unshift(...blocks.map((shown) => block(shown)));
    });
    Object.assign(known, { prose: true, lead: lead.join(" ") });
  };

  siteSearch.code = (page, sections) => {
    const known = text(page);
    sections.forEach((blocks, at) => {
      const lines = blocks.flatMap((code) => code.split("\n")).filter((line) => /\w/.test(line));
      sectionOf(known, at).blocks.push(...lines.map((line) => block(line, true)));
    });
    known.code = true;
  };

  siteSearch.hasText = (page, withCode) => text(page).prose && (!withCode || text(page).code);
  siteSearch.lead = (page) => text(page).lead;
  siteSearch.sections = (page) => text(page).sections;

  // How much of a phrase stands in the words in one piece: 0 (one of several words) to 1 (all of it).
  function row(words, phrase) {
    if (phrase.length === 1) return Number(words.includes(phrase[0]));
    let longest = 1;
    for (let from = 0; from + longest < words.length; from += 1) {
      for (let start = 0; start + longest < phrase.length; start += 1) {
        let size = 0;
        while (start + size < phrase.length && words[from + size] === phrase[start + size]) size += 1;
        longest = Math.max(longest, size);
      }
    }
    return (longest - 1) / (phrase.length - 1);
  }

  function inOnePiece(page, found) {
    let most = 0;
    for (const section of text(page).sections) {
      for (const candidate of [section.heading, ...section.blocks]) {
        for (const { words, weight } of found.phrases) most = Math.max(most, weight * row(wordsOf(candidate), words) ** 2);
      }
    }
    return most;
  }

  // Results whose text is here, pages first that hold the query in one piece.
  siteSearch.refine = (results, found) => {
    if (!found.phrases.length) return results;
    const refined = results.map((entry) => {
      const piece = inOnePiece(entry.page, found);
      return { ...entry, isWhole: piece === 1, score: entry.score * (1 + IN_ONE_PIECE * piece) };
    });
    return refined.sort((a, b) => b.score - a.score);
  };

  // Of each word that is meant, the units of the query that mean it, and how likely.
  function byWord(units) {
    const found = new Map();
    units.forEach(({ words }, at) => words.forEach((weight, word) => {
      if (!found.has(word)) found.set(word, []);
      found.get(word).push([at, weight]);
    }));
    return found;
  }

  // How much of each unit stands in the words of a block.
  function holds(block, meant, units) {
    const held = units.map(() => 0);
    for (const word of wordsOf(block)) {
      for (const [at, weight] of meant.get(word) || []) held[at] = Math.max(held[at], weight);
    }
    return held;
  }

  // The passage of a page that answers best: { section, block }; there may be no block.
  siteSearch.passage = (page, found) => {
    const meant = byWord(found.units);
    const value = (held) => found.units.reduce((sum, { says }, at) => sum + says * held[at], 0);
    let best = { score: -1 };
    for (const section of text(page).sections) {
      const heading = new Set(wordsOf(section.heading));
      const said = [...heading].filter((word) => (meant.get(word) || []).some(([, weight]) => weight > SURE)).length;
      const inSection = holds(section.heading, meant, found.units);
      const inTitle = value(inSection);
      let most = { value: 0, block: null };
      for (const candidate of section.blocks) {
        if (SOURCE.test(candidate.shown)) continue;
        const inBlock = holds(candidate, meant, found.units);
        inBlock.forEach((hold, at) => { inSection[at] = Math.max(inSection[at], hold); });
        let here = value(inBlock);
        if (here > 0) for (const { words, weight } of found.phrases) here += found.says * weight * row(wordsOf(candidate), words);
        if (here > most.value) most = { value: here, block: candidate };
      }
      const title = TITLE * inTitle * (1 + said / (heading.size || 1)); // and little else
      const score = (SECTION * value(inSection) + BLOCK * most.value + title) * (ASIDE.test(section.anchor) ? 0.5 : 1);
      if (score > best.score) best = { section, block: most.block, score };
    }
    return best;
  };

  // Which part of a piece of text to highlight: [from, to], or null. What was typed, or a word meant.
  siteSearch.hit = (piece, found) => {
    const words = siteSearch.words(piece).map(siteSearch.key);
    const weight = Math.max(0, ...found.units.flatMap(({ shown }) => words.map((word) => shown.get(word) || 0)));
    if (weight === 0) return null;
    const plain = piece.normalize("NFKC").toLowerCase();
    const part = weight < 1 && plain.length === piece.length && found.pieces.find((written) => plain.includes(written));
    if (part) return [plain.indexOf(part), plain.indexOf(part) + part.length];
    return weight < SURE ? null : [0, piece.length];
  };
})();
