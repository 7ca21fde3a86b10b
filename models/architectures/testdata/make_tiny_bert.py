"""Makes a tiny random checkpoint of BERT, and its embeddings as Hugging Face's transformers computes them.

    pip install torch==2.15.0 transformers==5.23.0 safetensors && python make_tiny_bert.py

The embedding of a text is the mean of the last hidden states of its tokens, divided by its length.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

HERE = pathlib.Path(__file__).parent
TOKENIZER = json.loads((HERE / "../../tokenizer/testdata/word-piece.json").read_text())["tokenizer"]
CONFIG = {
    "vocab_size": len(TOKENIZER["model"]["vocab"]),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}
LENGTHS = [2, 3, 8, 9, 16, 24]

torch.manual_seed(7)
model = BertModel(BertConfig(**CONFIG), add_pooling_layer=False).eval()
with torch.no_grad():
    for parameter in model.parameters():
        # Far from what they begin with, so that every one of them is felt.
        parameter.copy_(torch.randn_like(parameter) * 0.3 + (1.0 if parameter.dim() == 1 else 0.0))
    texts = [torch.randint(0, CONFIG["vocab_size"], (length,)) for length in LENGTHS]
    embeddings = []
    for text in texts:
        hidden = model(text[None]).last_hidden_state[0]
        mean = hidden.mean(0)
        embeddings.append((mean / mean.norm()).tolist())
save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, HERE / "tiny-bert.safetensors", {"format": "pt"})
reference = {
    "config": {"model_type": "bert", **CONFIG},
    "texts": [text.tolist() for text in texts],
    "embeddings": [[round(x, 8) for x in embedding] for embedding in embeddings],
}
(HERE / "tiny-bert.json").write_text(json.dumps(reference) + "\n")
