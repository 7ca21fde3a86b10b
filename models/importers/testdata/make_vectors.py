"""Makes quantised.json: blocks of each GGUF tensor type with the float32 values that another implementation reads in
them. Needs the Python package `gguf` (0.17 or later) and its NumPy.

    python make_vectors.py > quantised.json

The K-types and I-types cannot be quantised by that package: their blocks are random bytes with scales of a sensible size.
"""
import base64
import json
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize

BLOCKS = 4
# Where a block holds its float16 scales.
SCALES = {
    Type.Q2_K: [80, 82],
    Type.Q3_K: [108],
    Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2],
    Type.Q6_K: [208],
    Type.IQ4_NL: [0],
    Type.IQ4_XS: [0],
}

random = np.random.default_rng(7)


def encode(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def quantised(kind: Type) -> np.ndarray:
    elements, size = GGML_QUANT_SIZES[kind]
    if kind not in SCALES:
        values = random.standard_normal(BLOCKS * elements if elements > 1 else 64).astype(np.float32)
        values[:elements] *= 100
        return np.ascontiguousarray(quantize(values, kind)).view(np.uint8)
    blocks = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for at in SCALES[kind]:
        blocks[:, at : at + 2] = (random.standard_normal(BLOCKS) / 64).astype(np.float16).view(np.uint8).reshape(-1, 2)
    return blocks.reshape(-1)


vectors = []
NAMES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q6_K", "Q2_K", "Q3_K", "Q5_K"]
NAMES += ["IQ4_NL", "IQ4_XS"]
for name in NAMES:
    stored = quantised(Type[name])
    values = dequantize(stored if name != "F32" else stored.view(np.float32), Type[name]).astype(np.float32)
    vectors.append({"type": name, "bytes": encode(stored), "values": encode(values.reshape(-1))})
json.dump(vectors, sys.stdout, indent=1)
sys.stdout.write("\n")
