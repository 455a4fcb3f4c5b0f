// Text as search words, by the same rules as docs/_extensions/spelling.py.
"use strict";

(() => {
  const STEMMER = new PorterStemmer();
  const V_SOUND = [["ヴァ", "バ"], ["ヴィ", "ビ"], ["ヴェ", "ベ"], ["ヴォ", "ボ"], ["ヴ", "ブ"], ["ヂ", "ジ"], ["ヅ", "ズ"]];
  const SMALL = "ァィゥェォッャュョヮヵヶ";
  const LARGE = "アイウエオツヤユヨワカケ";
  const PARTICLES = "のをにはがとでもへやかなだしてたすまりるれ";
  const LONGEST = 60;

  // One spelling for what is the same to a reader.
  function normal(text) {
    text = text.normalize("NFKC").replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase()
      .replace(/(\d),(?=\d{3}(?!\d))/g, "$1")
      .replace(/([ァ-ヺー])[・/=](?=[ァ-ヺ])/g, "$1");
    for (const [written, said] of V_SOUND) text = text.replaceAll(written, said);
    return text
      .replace(/([オコゴソゾトドノホボポモヨョロヲォ])ウ/g, "$1")
      .replace(/([エケゲセゼテデネヘベペメレェ])イ/g, "$1")
      .replaceAll("ー", "")
      .replace(/[ァィゥェォッャュョヮヵヶ]/g, (small) => LARGE[SMALL.indexOf(small)])
      .replace(/([一-龠々])[いえきぎけげしせちってびべみめりれ](?=[一-龠々])/g, "$1");
  }

  const stems = new Map();
  function stem(word) {
    if (!stems.has(word)) stems.set(word, STEMMER.stemWord(word));
    return stems.get(word);
  }

  // What all spellings of a word share: no mark between parts, English as its stem.
  const key = (word) => (word < "\u0100" ? stem(word.replaceAll("_", "")) : word);

  function strip(word) {
    let [from, to] = [0, word.length];
    while (from < to && PARTICLES.includes(word[from])) from += 1;
    while (from < to && PARTICLES.includes(word[to - 1])) to -= 1;
    return word.slice(from, to);
  }

  // The words of a text in their order, as spelled.
  function words(text) {
    const plain = normal(text).replace(/(?<![a-z0-9_])\d+(?:\.\d+)+/g, (number) => number.replaceAll(".", "_"));
    const found = [];
    for (let word of plain.match(/(?<![a-z0-9-])--[a-z][a-z0-9-]+|[a-z0-9]+(?:[_-]+[a-z0-9]+)*|[ァ-ヺ]+|[一-龠々]+|[ぁ-ゖ]{2,}|[α-ω]+/g) || []) {
      if (word[0] < "\u0100") {
        const flag = word.startsWith("--");
        word = word.replace(/^-+/, "").replace(/[_-]+/g, "_");
        if (flag) found.push(`-${word}`);
      } else if (word[0] >= "ぁ" && word[0] <= "ゖ") {
        word = strip(word);
        if (word.length < 2) continue;
      }
      if (word.length <= LONGEST) found.push(word);
    }
    return found;
  }

  // Words that ask but say little.
  const LIGHT = new Set(words(
    "a about an and are as at be been by can could do does for from get had has have how i in into is it its "
    + "make my not of on or our should so than that the their then there this to use using via vs was we what when "
    + "where which who why will with without would you your",
  ));
  const isLight = (word) => LIGHT.has(word) || (word[0] >= "ぁ" && word[0] <= "ゖ");

  Object.assign(siteSearch, { isLight, key, normal, stem, words });
})();
