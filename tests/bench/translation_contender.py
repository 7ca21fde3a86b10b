"""CTranslate2's side of `npm run bench:translation`: the same weights, of the files of a model that ships, the same tokens.

    python translation_contender.py <the model's folder> <threads> <heads>

Each line of JSON on the input, {"tokens": [[…], …], "beam": n}, is answered with the seconds and the tokens."""
import json
import pathlib
import sys
import tempfile
import time

import ctranslate2
import numpy
import onnx
from onnx import numpy_helper

folder, threads, heads = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
parts = {}
for name in ("encoder", "decoder"):
    for tensor in onnx.load(folder / f"{name}.onnx").graph.initializer:
        parts[tensor.name] = numpy_helper.to_array(tensor)


def matrix(name):
    """Blocks of 8-bit codes as the float32 matrix that they are."""
    codes, scales = parts[f"{name}.codes"].astype(numpy.float32), parts[f"{name}.scales"]
    blocks = codes.reshape(scales.shape[0], scales.shape[1], -1) - 128
    return (blocks * scales[:, :, None]).reshape(scales.shape[0], -1)


def linear(spec, name):
    spec.weight, spec.bias = matrix(f"{name}.weight"), parts[f"{name}.bias"]


def norm(spec, name):
    spec.gamma, spec.beta = parts[f"{name}.weight"], parts[f"{name}.bias"]


layers = [1 + max(int(n.split(".")[1]) for n in parts if n.startswith(side) and n.split(".")[1].isdigit()) for side in ("encoder", "decoder")]
spec = ctranslate2.specs.TransformerSpec.from_config(tuple(layers), heads, activation=ctranslate2.specs.Activation.RELU)
table = matrix("embedding.weight")
for side, stack in (("encoder", spec.encoder), ("decoder", spec.decoder)):
    embeddings = stack.embeddings[0] if side == "encoder" else stack.embeddings
    embeddings.weight = table
    stack.scale_embeddings = True
    stack.position_encodings.encodings = parts["sinusoids"]
    norm(stack.layer_norm, f"{side}.norm")
    for i, layer in enumerate(stack.layer):
        name = f"{side}.{i}"
        norm(layer.self_attention.layer_norm, f"{name}.attention_norm")
        linear(layer.self_attention.linear[0], f"{name}.attention.qkv")
        linear(layer.self_attention.linear[1], f"{name}.attention.out")
        if side == "decoder":
            norm(layer.attention.layer_norm, f"{name}.cross_norm")
            for j, part in enumerate(("q", "kv", "out")):
                linear(layer.attention.linear[j], f"{name}.cross.{part}")
        norm(layer.ffn.layer_norm, f"{name}.ffn_norm")
        linear(layer.ffn.linear_0, f"{name}.ffn.in")
        linear(layer.ffn.linear_1, f"{name}.ffn.out")
spec.decoder.projection.weight = table
words = ["</s>", "<unk>"] + [str(i) for i in range(2, len(table))]
spec.register_source_vocabulary(words)
spec.register_target_vocabulary(words)
for key, word in {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "<unk>", "decoder_start_token": "</s>"}.items():
    setattr(spec.config, key, word)
with tempfile.TemporaryDirectory() as target:
    spec.validate()
    spec.save(target)
    translator = ctranslate2.Translator(target, device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads)
print(json.dumps({"ready": ctranslate2.__version__}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    batch = [[words[token] for token in tokens] for tokens in asked["tokens"]]
    begin, cpu = time.perf_counter(), time.process_time()
    results = translator.translate_batch(batch, beam_size=asked["beam"], max_batch_size=2048, batch_type="tokens")
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    tokens = [[words.index(word) if not word.isdigit() else int(word) for word in result.hypotheses[0]] for result in results]
    print(json.dumps({"seconds": seconds, "cpu": cpu, "tokens": tokens}), flush=True)
