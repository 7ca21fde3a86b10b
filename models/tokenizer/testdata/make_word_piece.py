"""Makes word-piece.json: a small `tokenizer.json` of BERT's kind, texts as the `tokenizers` library makes tokens of them,
and how it cuts every character that Unicode 3.2 has (later ones are cut by whichever version a library was made with).

    pip install tokenizers==0.23.3 && python make_word_piece.py
"""
import hashlib
import json
import pathlib
import unicodedata

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
LEARNED = [
    "the quick brown fox jumps over the lazy dog, and the dogs jumped over the foxes",
    "tokens are pieces of words; unbelievable embeddings embed an embedding constructor prototype toString",
    "naive cafe uber resume facade 1234567890 2026 3.14 10,000 don't won't it's a-b c_d e.g. i.e.",
    "привет мир как дела σοφος οδυσσευς λογος שלום עולם مرحبا بالعالم नमस्ते दुनिया สวัสดี",
    "中 文 日 本 語 漢 字 한 국 어 안녕 ひらがな カタカナ",
]
TEXTS = [
    "",
    " \t\r\n ",
    "The quick brown fox jumped over the lazy dogs.",
    "UNBELIEVABLE Embeddings, toString constructor prototype __proto__",
    "Café naïve façade ÜBER résumé Ångström \u0130stanbul \u1e9e \ufb01ne",
    "e\u0301\u0301\u0301 a\u0300b c\u0327 \u0301alone",
    "ΟΔΥΣΣΕΥΣ ΛΟΓΟΣ Σ σΣ. Привет, МИР!",
    "שָׁלוֹם עולם مَرْحَبًا नमस्ते दुनिया สวัสดี",
    "中文字日本語漢字 abc中def \u3007 \u30a2 ｱｲｳ ＡＢＣ ㌔ 한국어 안녕하세요 ひらがながバパ",
    "😀 👩‍👩‍👧‍👦 a😀b 🇫🇷 ❤️ 👍🏽",
    "x" * 300,
    "x" * 100 + " " + "x" * 101,
    "😀" * 100 + " " + "😀" * 101,
    "the" * 33 + "t " + "the" * 34,
    "[CLS] the [SEP] fox[MASK]dog [PAD][UNK] [cls] [SEP [[SEP]]",
    "a\u00adb a\u200bb a\u200db \ufeffa a\u0000b a\ufffdb a\u0007b \ue000x \u0085y \u2028z\u00a0w\u3000v",
    "$1,000.50 + 20% = x^2 ~ <a@b.c> `code` |pipe| “quotes” ‘single’ «guillemets» … — – ¿qué? ¡sí!",
    "don't won't it's e.g. i.e. a-b c_d #tag @user http://example.com/a?b=c&d=e",
    "\u2460 \u00bd \u00b2 \u2167 \u0661\u0662 \u0967",
    "\U00020000\U0002a6df\U0002a700 \U0002b820 \U0002b920 \uf900 \U0002f800",
    "\u1e63\u0307 q\u0323\u0307 \uac01 \u212b \u2126 K",
]
# Are of another category since: a punctuation mark became a symbol, a mark got a width, two letters became marks.
MOVED = {0x166D, 0x1734, 0x1885, 0x1886}

tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
tokenizer.train_from_iterator(LEARNED * 4, trainers.WordPieceTrainer(vocab_size=420, special_tokens=specials, show_progress=False))
ids = {token: tokenizer.token_to_id(token) for token in specials}
tokenizer.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
)

assigned = [
    c for c in range(0x110000)
    if unicodedata.ucd_3_2_0.category(chr(c)) not in ("Cn", "Cs") and c not in MOVED
]
ranges: list[list[int]] = []
for c in assigned:
    if ranges and ranges[-1][1] == c - 1:
        ranges[-1][1] = c
    else:
        ranges.append([c, c])


def cuts(lowercase: bool) -> str:
    """A digest of the words of "A", the character and "b", for each character."""
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    digest = hashlib.sha256()
    for c in assigned:
        words = tokenizer.pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(f"A{chr(c)}b"))
        digest.update(("\x1f".join(word for word, _ in words) + "\x1e").encode())
    return digest.hexdigest()


made = {
    "tokenizer": json.loads(tokenizer.to_str()),
    "vectors": [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS],
    "characters": ranges,
    "uncased": cuts(True),
    "cased": cuts(False),
}
lines = ",\n".join(f' "{key}": {json.dumps(value, ensure_ascii=True)}' for key, value in made.items())
(HERE / "word-piece.json").write_text("{\n" + lines + "\n}\n")
