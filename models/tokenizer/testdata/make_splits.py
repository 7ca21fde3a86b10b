"""Makes splits.json: the texts of vectors.json and some more as the `tokenizers` library cuts them, with the expressions
of the `tokenizer.json` of GPT-2, Qwen 2 and Llama 3.

    pip install tokenizers==0.23.3 && python make_splits.py
"""
import json
import pathlib

from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

HERE = pathlib.Path(__file__).parent
TEXTS = [vector["text"] for vector in json.loads((HERE / "vectors.json").read_text())["plain"]]
TEXTS += [
    "I'LL you'Ve we'rE it'S 'Tis 'dx don'T'd ''s '''ll",
    "1 12 123 1234 12345 1234567 a1 1a ١٢٣٤٥ ½²³Ⅷ 1,234.5",
    "\n\n\n  x\r\n\r\ny \n z  \n\n  \t\n",
    " .\n,\r\n!!\n\n?? \n ;\r",
    "\u00a0a\u00a0\u00a0b \u3000c\u2028d\u0085e\u200bf",
    "-a _b #c \ta\n\u0301x a\u0301 \u093eक",
    "   ",
    "end   ",
    "\ufeffx \u180e y \u2060z",
]
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
EXPRESSIONS = {
    "gpt-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "qwen2": WORDS.replace("DIGITS", r"\p{N}"),
    "llama-bpe": WORDS.replace("DIGITS", r"\p{N}{1,3}"),
}

lines = []
for name, expression in EXPRESSIONS.items():
    split = Split(Regex(expression), behavior="isolated")
    cut = [[piece for piece, _ in split.pre_tokenize_str(text)] for text in TEXTS]
    vectors = ",\n".join(f"  {json.dumps(pieces, ensure_ascii=False)}" for pieces in cut)
    lines.append(f' "{name}": [\n{vectors}\n ]')
(HERE / "splits.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
