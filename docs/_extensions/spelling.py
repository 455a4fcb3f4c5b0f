"""Text as search words, by the same rules as docs/_static/search/spelling.js.

What may be written in several ways becomes one word: full and half width, inflected English,
`update_endpoint` and `UpdateEndpoint`, サーバー and サーバ, 切り替え and 切替. A `_` marks
where the parts of a word meet.
"""

import re
import unicodedata
from functools import cache

import snowballstemmer

STEMMER = snowballstemmer.stemmer("porter")
CAMEL = re.compile(r"([a-z0-9])([A-Z])")
THOUSANDS = re.compile(r"(\d),(?=\d{3}(?!\d))")
BETWEEN_KATAKANA = re.compile(r"([ァ-ヺー])[・/=](?=[ァ-ヺ])")
# A vowel that only lengthens the one before it.
LONG_O = re.compile(r"([オコゴソゾトドノホボポモヨョロヲォ])ウ")
LONG_E = re.compile(r"([エケゲセゼテデネヘベペメレェ])イ")
V_SOUND = {
    "ヴァ": "バ",
    "ヴィ": "ビ",
    "ヴェ": "ベ",
    "ヴォ": "ボ",
    "ヴ": "ブ",
    "ヂ": "ジ",
    "ヅ": "ズ",
}
SMALL = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")
# The ending of a verb inside a compound: 切り替え, 書き込み, 割り当て.
OKURIGANA = re.compile(r"([一-龠々])[いえきぎけげしせちってびべみめりれ](?=[一-龠々])")
PARTICLES = "のをにはがとでもへやかなだしてたすまりるれ"
WORD = re.compile(
    r"(?<![a-z0-9-])--[a-z][a-z0-9-]+|[a-z0-9]+(?:[_-]+[a-z0-9]+)*|[ァ-ヺ]+|[一-龠々]+|[ぁ-ゖ]{2,}|[α-ω]+"
)
NUMBER = re.compile(r"(?<![a-z0-9_])\d+(?:\.\d+)+")
LONGEST = 60  # letters; what is longer is a hash or data


def normal(text: str) -> str:
    """One spelling for what is the same to a reader."""
    text = CAMEL.sub(r"\1_\2", unicodedata.normalize("NFKC", text)).lower()
    text = BETWEEN_KATAKANA.sub(r"\1", THOUSANDS.sub(r"\1", text))
    for written, said in V_SOUND.items():
        text = text.replace(written, said)
    text = LONG_E.sub(r"\1", LONG_O.sub(r"\1", text)).replace("ー", "").translate(SMALL)
    return OKURIGANA.sub(r"\1", text)


@cache
def key(word: str) -> str:
    """What all spellings of a word share: no mark between parts, English as its stem."""
    return str(STEMMER.stemWord(word.replace("_", ""))) if word < "\u0100" else word


def words(text: str) -> list[str]:
    """The words of a text in their order, as spelled."""
    found = []
    for match in WORD.finditer(NUMBER.sub(lambda m: m[0].replace(".", "_"), normal(text))):
        word = match[0]
        if word[0] < "\u0100":
            flag, word = word.startswith("--"), re.sub("[_-]+", "_", word.lstrip("-"))
            if flag:
                found.append(f"-{word}")
        elif "ぁ" <= word[0] <= "ゖ":
            word = word.strip(PARTICLES)
            if len(word) < 2:
                continue
        if len(word) <= LONGEST:
            found.append(word)
    return found
