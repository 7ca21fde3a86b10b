"""Makes sentence-piece.json: two small vocabularies that SentencePiece has trained, as GGUF's metadata has them, and the
tokens that SentencePiece gives the texts of vectors.json with them.

    pip install sentencepiece==0.2.3 && python make_sentence_piece.py

One is as Llama 2's, with a space before every text; the other as Gemma's, with none, and with runs of spaces as tokens.
"""
import io
import json
import pathlib

import sentencepiece

HERE = pathlib.Path(__file__).parent
TEXTS = [vector["text"] for vector in json.loads((HERE / "vectors.json").read_text())["plain"]]
# What is written like a token of no text, and spaces that are written as the vocabulary writes them.
TEXTS += ["<s>", "</s> <unk>", "<0x41>A<0x0A>", "▁", "a▁b ▁ c", "<|turn|>", " <|turn|>hello<|turn|>\n", " " * 20, "x" + "\n" * 5]
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


def token_type(processor, i):
    checks = [
        (processor.is_unknown, UNKNOWN),
        (processor.is_control, CONTROL),
        (processor.is_unused, UNUSED),
        (processor.is_byte, BYTE),
    ]
    return next((kind for check, kind in checks if check(i)), NORMAL)


def make(name, prefix, user_defined):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=model,
        model_type="bpe",
        vocab_size=640,
        character_coverage=0.98,
        byte_fallback=True,
        add_dummy_prefix=prefix,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        split_digits=True,
        allow_whitespace_only_pieces=True,
        user_defined_symbols=user_defined,
        num_threads=1,
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    size = processor.get_piece_size()
    tokens = [processor.id_to_piece(i) for i in range(size)]
    # GGUF has user-defined tokens as they stand in a text.
    symbols = [token.replace("▁", " ") if token in user_defined else token for token in tokens]
    return {
        "metadata": {
            "tokenizer.ggml.model": "llama",
            "tokenizer.ggml.tokens": symbols,
            "tokenizer.ggml.scores": [processor.get_score(i) for i in range(size)],
            "tokenizer.ggml.token_type": [
                USER_DEFINED if token in user_defined else token_type(processor, i) for i, token in enumerate(tokens)
            ],
            "tokenizer.ggml.add_space_prefix": prefix,
            "tokenizer.ggml.unknown_token_id": processor.unk_id(),
        },
        # SentencePiece finds its own way to write a space in a text as a space, user-defined tokens in GGUF do not.
        "vectors": [
            {"text": text, "tokens": processor.encode(text)} for text in TEXTS if prefix or "▁" not in text
        ],
    }


made = {
    "llama": make("llama", True, []),
    "gemma": make("gemma", False, ["▁▁", "▁▁▁", "▁▁▁▁", "\n\n", "\n\n\n", "<|turn|>"]),
}


def lines(made):
    for name, part in made.items():
        metadata = json.dumps(part["metadata"], ensure_ascii=False)
        vectors = ",\n".join(f"   {json.dumps(vector, ensure_ascii=False)}" for vector in part["vectors"])
        yield f' "{name}": {{\n  "metadata": {metadata},\n  "vectors": [\n{vectors}\n  ]\n }}'


(HERE / "sentence-piece.json").write_text("{\n" + ",\n".join(lines(made)) + "\n}\n")
