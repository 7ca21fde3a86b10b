"""Makes a tiny random checkpoint of each family, and its logits as Hugging Face's transformers computes them.

    pip install gguf==0.19.0 torch==2.15.0 transformers==5.23.0 && python make_tiny.py

The layers are Q4_1, the embedding and output tables Q8_0. The reference runs in float32 on those weights dequantised,
so that what differs is the arithmetic alone.
"""
import json
import pathlib

import gguf
import numpy as np
import torch
from gguf.quants import dequantize, quantize
from transformers import LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).parent
LAYERS, HIDDEN, HEADS, KV_HEADS, FFN, VOCABULARY, CONTEXT = 3, 64, 4, 2, 96, 128, 64
PROMPT, CONTINUATION = 12, 4

PARTS = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OUTER = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def gguf_name(name):
    if name in OUTER:
        return OUTER[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{PARTS[rest.removesuffix('.weight')]}.weight"


def interleave(weight, heads):
    """Rows of a head from halves (Hugging Face) to neighbours (GGUF's llama)."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def round_to_blocks(name, weight):
    """A weight that the checkpoint can hold exactly."""
    if weight.ndim == 1:
        return weight
    kind = gguf.GGMLQuantizationType.Q8_0 if name in OUTER else gguf.GGMLQuantizationType.Q4_1
    return dequantize(quantize(weight, kind), kind)


def make(name, tied):
    torch.manual_seed(3)
    config = LlamaConfig(
        hidden_size=HIDDEN,
        intermediate_size=FFN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        vocab_size=VOCABULARY,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=tied,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Wide enough that attention and the gates are far from uniform.
            parameter.normal_(1.0, 0.2) if parameter.ndim == 1 else parameter.normal_(0.0, 0.25)
            parameter.copy_(torch.from_numpy(round_to_blocks(key, parameter.numpy())))
        tokens = torch.randint(VOCABULARY, (PROMPT + CONTINUATION,), generator=torch.Generator().manual_seed(5))
        logits = model(tokens[None]).logits[0, PROMPT - 1 :].numpy()

    writer = gguf.GGUFWriter(HERE / f"{name}.gguf", "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    for key, parameter in model.named_parameters():
        weight = parameter.detach().numpy()
        if weight.ndim == 1:
            writer.add_tensor(gguf_name(key), weight)
            continue
        if "q_proj" in key:
            weight = interleave(weight, HEADS)
        if "k_proj" in key:
            weight = interleave(weight, KV_HEADS)
        kind = gguf.GGMLQuantizationType.Q8_0 if key in OUTER else gguf.GGMLQuantizationType.Q4_1
        packed = quantize(np.ascontiguousarray(weight), kind)
        np.testing.assert_allclose(dequantize(packed, kind), weight, atol=1e-6)
        writer.add_tensor(gguf_name(key), packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    rows = [[round(float(x), 5) for x in row] for row in logits]
    (HERE / f"{name}.json").write_text(
        json.dumps({"prompt": PROMPT, "tokens": tokens.tolist(), "logits": rows}) + "\n"
    )


make("tiny-llama", tied=False)
make("tiny-llama-tied", tied=True)
