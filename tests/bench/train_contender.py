"""PyTorch's side of `npm run bench:train`, as train-contender.ts: the same models from the same weights, in plain eager
float32 as its tutorials have them."""
import json
import math
import pathlib
import resource
import sys
import time

import torch
import torch.nn.functional as F

name, threads, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
torch.set_num_threads(threads)



def weights():
    for i, spec in enumerate(json.loads((folder / "weights.json").read_text())):
        data = bytearray((folder / f"{i}.bin").read_bytes())
        yield spec["name"], torch.frombuffer(data, dtype=torch.float32).reshape(spec["shape"])


p = {} if name.startswith("lora") else {n: w.clone().requires_grad_(True) for n, w in weights()}


def sine(shape, scale, offset, pace):
    return (offset + scale * torch.sin(pace * torch.arange(math.prod(shape), dtype=torch.float64))).float().reshape(shape)


def linear(layer, x):
    return F.linear(x, p[f"{layer}.weight"], p.get(f"{layer}.bias"))


def adam(names, rate, betas=(0.9, 0.999)):
    return torch.optim.Adam([p[n] for n in names], rate, betas)


def images(scale, offset):
    """Tandem's rows of pixels, as planes."""
    return sine([64, 32, 32, 3], scale, offset, 0.11).permute(0, 3, 1, 2).contiguous()


def vae():
    x, noise, optimizer = images(0.5, 0.5), sine([64, 64], 1, 0, 1.7), adam(p, 1e-3)

    def step():
        h = x
        for i in range(3):
            h = F.relu(F.conv2d(h, p[f"encoder.{i}.weight"], p[f"encoder.{i}.bias"], 2, 1))
        mean, log_variance = linear("encoder.out", h.flatten(1)).chunk(2, 1)
        h = F.relu(linear("decoder.in", mean + (0.5 * log_variance).exp() * noise)).reshape(64, 128, 4, 4)
        for i in range(3):
            h = F.conv_transpose2d(h, p[f"decoder.{i}.weight"], p[f"decoder.{i}.bias"], 2, 1)
            h = F.relu(h) if i < 2 else h
        reconstruction = F.binary_cross_entropy_with_logits(h, x, reduction="sum") / 64
        kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum() / 64
        loss = reconstruction + kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return [loss, reconstruction, kl]

    return step


def dcgan():
    x, z = images(1, 0), sine([64, 100], 1, 0, 1.7)
    of_g = adam([n for n in p if n.startswith("generator")], 2e-4, (0.5, 0.999))
    of_d = adam([n for n in p if n.startswith("critic")], 2e-4, (0.5, 0.999))
    running = {n: (torch.zeros_like(w), torch.ones_like(w)) for n, w in p.items() if ".norm." in n and n.endswith("weight")}

    def norm(layer, h):
        mean, variance = running[f"{layer}.weight"]
        return F.batch_norm(h, mean, variance, p[f"{layer}.weight"], p[f"{layer}.bias"], True)

    def critic(h):
        h = F.leaky_relu(F.conv2d(h, p["critic.0.weight"], None, 2, 1), 0.2)
        for i in (1, 2):
            h = F.leaky_relu(norm(f"critic.norm.{i}", F.conv2d(h, p[f"critic.{i}.weight"], None, 2, 1)), 0.2)
        return linear("critic.out", h.flatten(1))

    def step():
        h = F.relu(norm("generator.norm.0", linear("generator.in", z).reshape(64, 256, 4, 4)))
        for i in (0, 1):
            h = F.relu(norm(f"generator.norm.{i + 1}", F.conv_transpose2d(h, p[f"generator.{i}.weight"], None, 2, 1)))
        fake = torch.tanh(F.conv_transpose2d(h, p["generator.out.weight"], None, 2, 1))
        loss_d = F.softplus(-critic(x)).mean() + F.softplus(critic(fake.detach())).mean()
        of_d.zero_grad()
        loss_d.backward()
        of_d.step()
        loss_g = F.softplus(-critic(fake)).mean()
        of_g.zero_grad()
        loss_g.backward()
        of_g.step()
        return [loss_d, loss_g]

    return step


def autoencoder():
    x, optimizer = sine([256, 784], 0.5, 0.5, 0.11), adam(p, 1e-3)

    def step():
        h = x
        for layer in ("encoder.0", "encoder.1"):
            h = F.relu(linear(layer, h))
        h = linear("encoder.out", h)
        for layer in ("decoder.0", "decoder.1"):
            h = F.relu(linear(layer, h))
        loss = F.mse_loss(torch.sigmoid(linear("decoder.out", h)), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return [loss]

    return step


def gpt():
    i = torch.arange(16 * 256)
    ids, following = (i * 7919 % 4096).reshape(16, 256), (i + 1) * 7919 % 4096
    optimizer = torch.optim.AdamW(p.values(), 1e-3, weight_decay=0)

    def norm(layer, x):
        return F.layer_norm(x, [256], p[f"{layer}.weight"], p[f"{layer}.bias"])

    def step():
        x = F.embedding(ids, p["wte.weight"]) + p["wpe.weight"]
        for i in range(6):
            qkv = linear(f"h.{i}.attn.c_attn", norm(f"h.{i}.ln_1", x)).reshape(16, 256, 3, 8, 32)
            q, k, v = qkv.permute(2, 0, 3, 1, 4)
            seen = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(16, 256, 256)
            x = x + linear(f"h.{i}.attn.c_proj", seen)
            wide = F.gelu(linear(f"h.{i}.mlp.c_fc", norm(f"h.{i}.ln_2", x)), approximate="tanh")
            x = x + linear(f"h.{i}.mlp.c_proj", wide)
        loss = F.cross_entropy(linear("lm_head", norm("ln_f", x)).flatten(0, 1), following)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), 1)
        optimizer.step()
        return [loss]

    return step


def translation():
    width, lines = 256, 8

    def side(length, sentence, pace):
        i = torch.arange(lines * length)
        return (i * pace % 8000).reshape(lines, length), (i % sentence).reshape(lines, length), (i % length // sentence).reshape(lines, length)

    source, target = side(104, 26, 7919), side(128, 32, 7907)
    following = (torch.arange(lines * 128) + 1) * 7907 % 8000
    angles = torch.outer(torch.arange(128).double(), 10_000.0 ** -(torch.arange(128).double() / 128))
    waves = torch.cat([angles.sin(), angles.cos()], 1).float()
    same = lambda a, b: (a[2][:, :, None] == b[2][:, None, :])[:, None]
    seen, read = same(source, source), same(target, source)
    before = same(target, target) & torch.ones(128, 128).tril().bool()
    optimizer = adam(p, 1e-3, (0.9, 0.98))
    average = {n: w.detach().clone() for n, w in p.items()}

    def norm(layer, x):
        return F.layer_norm(x, [width], p[f"{layer}.weight"], p[f"{layer}.bias"])

    def attend(q, k, v, mask):
        q, k, v = [part.unflatten(-1, (4, -1)).transpose(1, 2) for part in (q, k, v)]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)

    def own(layer, x, mask):
        heads = linear(f"{layer}.attention.qkv", norm(f"{layer}.attention_norm", x)).chunk(3, -1)
        return x + linear(f"{layer}.attention.out", attend(*heads, mask))

    def forward(layer, x):
        return x + linear(f"{layer}.ffn.out", F.relu(linear(f"{layer}.ffn.in", norm(f"{layer}.ffn_norm", x))))

    def embed(side):
        return 16 * F.embedding(side[0], p["embedding.weight"]) + waves[side[1]]

    def step():
        x, y = embed(source), embed(target)
        for i in range(4):
            x = forward(f"encoder.{i}", own(f"encoder.{i}", x, seen))
        memory = norm("encoder.norm", x)
        for i in range(4):
            layer = f"decoder.{i}"
            y = own(layer, y, before)
            k, v = linear(f"{layer}.cross.kv", memory).chunk(2, -1)
            q = linear(f"{layer}.cross.q", norm(f"{layer}.cross_norm", y))
            y = forward(layer, y + linear(f"{layer}.cross.out", attend(q, k, v, read)))
        logits = F.linear(norm("decoder.norm", y), p["embedding.weight"]).flatten(0, 1)
        # F.cross_entropy with label_smoothing, taken apart so that the plain one costs nothing more.
        logs = F.log_softmax(logits, 1)
        plain = -logs.gather(1, following[:, None]).mean()
        loss = 0.9 * plain - 0.1 * logs.mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), 1)
        optimizer.step()
        with torch.no_grad():
            for n, w in p.items():
                average[n].mul_(0.99).add_(w, alpha=0.01)
        return [loss, plain]

    return step


def lora():
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    batch, length = map(int, name.removeprefix("lora-").split("x"))
    modules = {
        "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    }
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, head_dim=64, rms_norm_eps=1e-5, tie_word_embeddings=True, use_cache=False,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
    ))
    model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", lora_dropout=0.0))
    base = model.base_model.model.model

    def place(name):
        """Where a weight with a name of Tandem's is in the model."""
        if not name.startswith("blk."):
            return {"token_embd.weight": base.embed_tokens, "output_norm.weight": base.norm}[name].weight
        _, i, matrix, _, *adapter = name.split(".")
        module = base.layers[int(i)].get_submodule(modules[matrix])
        if adapter:
            return (module.lora_A if adapter == ["lora_a"] else module.lora_B)["default"].weight
        return module.weight if "norm" in matrix else module.base_layer.weight

    with torch.no_grad():
        for n, w in weights():
            # The elements of a head that turn together are neighbours in Tandem's, half a head apart in transformers'.
            for matrix, count in {"attn_q": 9, "attn_k": 3}.items():
                if f".{matrix}." in n and not n.endswith("lora_a"):
                    w = w.reshape(count, 32, 2, -1).swapaxes(1, 2).reshape(w.shape)
            place(n).copy_(w)
    i = torch.arange(batch * length)
    ids, following = (i * 7919 % 49152).reshape(batch, length), (i + 1) * 7919 % 49152
    learned = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.Adam(learned, 1e-3)

    def step():
        loss = F.cross_entropy(model(input_ids=ids).logits.flatten(0, 1), following)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1)
        optimizer.step()
        return [loss]

    return step


step = {"vae": vae, "dcgan": dcgan, "autoencoder": autoencoder, "gpt": gpt, "translation": translation}.get(name, lora)()
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    ms, losses = [], []
    steps, before = json.loads(line)["steps"], time.process_time()
    for _ in range(steps):
        begin = time.perf_counter()
        losses = [loss.item() for loss in step()]
        ms.append(1e3 * (time.perf_counter() - begin))
    cpu = 1e3 * (time.process_time() - before) / steps
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"ms": ms, "cpu": cpu, "losses": losses, "peak": peak}), flush=True)
