"""Makes a tiny random checkpoint of each family, and its logits as Hugging Face's transformers computes them.

    pip install gguf==0.19.0 torch==2.15.0 transformers==5.23.0 && python make_tiny.py

The layers are Q4_1 but where it says so, the embedding and output tables Q8_0. The reference runs in float32 on those weights dequantised,
so that what differs is the arithmetic alone. Metadata, names and layouts are those of llama.cpp's convert_hf_to_gguf.py.
"""
import json
import math
import pathlib

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

HERE = pathlib.Path(__file__).parent
HIDDEN, HEADS, KV_HEADS, VOCABULARY, CONTEXT = 64, 4, 2, 128, 64
PROMPT, CONTINUATION = 12, 4
# Less than the prompt, so that local attention leaves tokens out.
WINDOW = 5

PARTS = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
GEMMA_PARTS = {
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
OUTER = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
COMMON = {
    "hidden_size": HIDDEN,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": CONTEXT,
    "rms_norm_eps": 1e-5,
}


def gguf_name(architecture, name):
    if name in OUTER:
        return OUTER[name]
    _, _, layer, rest = name.split(".", 3)
    part, kind = rest.rsplit(".", 1)
    parts = PARTS | GEMMA_PARTS if architecture.startswith("gemma") else PARTS
    return f"blk.{layer}.{parts[part]}.{kind}"


def interleave(weight, heads):
    """Rows of a head from halves (Hugging Face) to neighbours (GGUF's llama)."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def kind_of(name, others):
    if name in OUTER:
        return Type.Q8_0
    return next((kind for part, kind in others.items() if part in name), Type.Q4_1)


def round_to_blocks(weight, kind):
    """A weight that the checkpoint can hold exactly."""
    return weight if weight.ndim == 1 else dequantize(quantize(weight, kind), kind)


def llama3_divisors(config):
    """What llama.cpp divides the frequencies by in place of the `llama3` rotary embedding's own formula."""
    rope = config.rope_parameters
    factor, low, high = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"]
    trained = rope["original_max_position_embeddings"]
    divisors = []
    for j in range(0, config.head_dim, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (j / config.head_dim)
        if wavelength < trained / high:
            divisors.append(1)
        elif wavelength > trained / low:
            divisors.append(factor)
        else:
            smooth = (trained / wavelength - low) / (high - low)
            divisors.append(1 / ((1 - smooth) / factor + smooth))
    assert len(set(divisors)) > 2, divisors
    return np.array(divisors, dtype=np.float32)


def make(name, architecture, model_class, config, keys, others={}):
    """`others` has the types of parts that are not Q4_1."""
    torch.manual_seed(3)
    gemma = architecture.startswith("gemma")
    if gemma:
        # The one implementation that caps scores.
        config._attn_implementation = "eager"
    model = model_class(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Wide enough that attention and the gates are far from uniform.
            if parameter.ndim == 1:
                parameter.normal_(0.0 if gemma or key.endswith("bias") else 1.0, 0.2)
            else:
                parameter.normal_(0.0, 0.25)
            parameter.copy_(torch.from_numpy(round_to_blocks(parameter.numpy(), kind_of(key, others))))
        tokens = torch.randint(VOCABULARY, (PROMPT + CONTINUATION,), generator=torch.Generator().manual_seed(5))
        logits = model(tokens[None]).logits[0, PROMPT - 1 :].numpy()

    writer = gguf.GGUFWriter(HERE / f"{name}.gguf", architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    for key, value in keys.items():
        getattr(writer, f"add_{key}")(value)
    writer.add_layer_norm_rms_eps(1e-5)
    for key, parameter in model.named_parameters():
        weight = parameter.detach().numpy()
        if weight.ndim == 1:
            # Gemma multiplies by 1 + weight.
            writer.add_tensor(gguf_name(architecture, key), weight + 1 if gemma else weight)
            continue
        if architecture == "llama" and "q_proj" in key:
            weight = interleave(weight, HEADS)
        if architecture == "llama" and "k_proj" in key:
            weight = interleave(weight, KV_HEADS)
        kind = kind_of(key, others)
        packed = quantize(np.ascontiguousarray(weight), kind)
        np.testing.assert_allclose(dequantize(packed, kind), weight, atol=1e-6)
        writer.add_tensor(gguf_name(architecture, key), packed, raw_dtype=kind)
    if config.rope_parameters.get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_divisors(config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    rows = [[round(float(x), 5) for x in row] for row in logits]
    (HERE / f"{name}.json").write_text(
        json.dumps({"prompt": PROMPT, "tokens": tokens.tolist(), "logits": rows}) + "\n"
    )


def rope(base, **scaling):
    return {"rope_type": "default", "rope_theta": base, **scaling}


for name, tied in [("tiny-llama", False), ("tiny-llama-tied", True)]:
    make(
        name,
        "llama",
        LlamaForCausalLM,
        LlamaConfig(**COMMON, rope_parameters=rope(10000.0), tie_word_embeddings=tied),
        {"rope_dimension_count": HIDDEN // HEADS, "rope_freq_base": 10000.0},
    )

make(
    "tiny-llama3",
    "llama",
    LlamaForCausalLM,
    LlamaConfig(
        **COMMON,
        # A short training context, so that few tokens are enough to tell the divided frequencies from the others.
        rope_parameters=rope(
            500.0,
            rope_type="llama3",
            factor=8.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=32,
        ),
        tie_word_embeddings=True,
    ),
    {"rope_dimension_count": HIDDEN // HEADS, "rope_freq_base": 500.0},
)
# Mixed as the usual quantisations are, in one layer: queries and keys of another type than values, the gate's than its
# partner's.
mixed = {"layers.1.self_attn.v_proj": Type.Q8_0, "layers.1.mlp.up_proj": Type.Q8_0, "mlp.gate_proj": Type.Q4_0}
for name, others in [("tiny-qwen2", {}), ("tiny-qwen2-mixed", mixed)]:
    make(
        name,
        "qwen2",
        Qwen2ForCausalLM,
        Qwen2Config(**COMMON, rope_parameters=rope(1000000.0), tie_word_embeddings=True),
        {"rope_freq_base": 1000000.0},
        others,
    )
make(
    "tiny-qwen3",
    "qwen3",
    Qwen3ForCausalLM,
    Qwen3Config(**COMMON, head_dim=32, rope_parameters=rope(1000000.0), tie_word_embeddings=False),
    {"rope_freq_base": 1000000.0, "key_length": 32, "value_length": 32},
)
make(
    "tiny-gemma2",
    "gemma2",
    Gemma2ForCausalLM,
    Gemma2Config(
        **COMMON,
        head_dim=32,
        query_pre_attn_scalar=32,
        attn_logit_softcapping=4.0,
        final_logit_softcapping=5.0,
        sliding_window=WINDOW,
        rope_parameters=rope(10000.0),
    ),
    {
        "key_length": 32,
        "value_length": 32,
        "attn_logit_softcapping": 4.0,
        "final_logit_softcapping": 5.0,
        "sliding_window": WINDOW,
    },
)
# Six layers, as its pattern of five local ones and one that sees all is in no key; and so narrower ones.
make(
    "tiny-gemma3",
    "gemma3",
    Gemma3ForCausalLM,
    Gemma3TextConfig(
        **COMMON | {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 6},
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=WINDOW,
        rope_parameters={
            "full_attention": rope(1000000.0, rope_type="linear", factor=4.0),
            "sliding_attention": rope(10000.0),
        },
    ),
    {
        "key_length": 16,
        "value_length": 16,
        "rope_freq_base": 1000000.0,
        "rope_scaling_type": gguf.RopeScalingType.LINEAR,
        "rope_scaling_factor": 4.0,
        "sliding_window": WINDOW,
    },
)
