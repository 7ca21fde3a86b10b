"""Exports all-MiniLM-L6-v2 to ONNX for Transformers.js where its hub is out of reach, as the hub's own file was made:
the encoder's last hidden state, in float32, by PyTorch's exporter.

    pip install torch==2.15.0 transformers==5.24.0 onnx onnxscript && python export_minilm.py FROM TO

FROM is a folder with model.safetensors, config.json and tokenizer.json (Tandem's cache has one: `text-embedding`), TO is
`models/all-MiniLM-L6-v2` beside this script.
"""
import json
import pathlib
import shutil
import sys

import torch
from transformers import BertModel

source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
(target / "onnx").mkdir(parents=True, exist_ok=True)
model = BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="eager").eval()


class Encoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        # As the model's own code had it when the hub's file was made.
        unseen = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * torch.finfo(torch.float32).min
        embedded = self.model.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
        return self.model.encoder(embedded, attention_mask=unseen).last_hidden_state


names = ["input_ids", "attention_mask", "token_type_ids"]
ids = torch.ones((2, 8), dtype=torch.int64)
axes = {0: "batch", 1: "length"}
torch.onnx.export(
    Encoder(),
    (ids, ids, torch.zeros_like(ids)),
    str(target / "onnx" / "model.onnx"),
    input_names=names,
    output_names=["last_hidden_state"],
    dynamic_axes={name: axes for name in [*names, "last_hidden_state"]},
    opset_version=17,
    dynamo=False,
)
for name in ["config.json", "tokenizer.json"]:
    shutil.copy(source / name, target / name)
specials = {f"{name}_token": f"[{name.upper()}]" for name in ["unk", "sep", "pad", "cls", "mask"]}
tokenizer = {"tokenizer_class": "BertTokenizer", "model_max_length": 512, "do_lower_case": True, **specials}
(target / "tokenizer_config.json").write_text(json.dumps(tokenizer))
