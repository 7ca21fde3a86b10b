"""Makes trajectories.json: what PyTorch gets when it trains the models of trajectories.test.ts from the same weights on
the same data. Weights and data are sines, so that both sides can make them.

    pip install torch && python make_trajectories.py
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
STEPS = 20


def wave(shape, phase, step=0.37):
    n = math.prod(shape)
    return torch.sin(torch.arange(n, dtype=torch.float64) * step + phase).float().reshape(shape)


def begin(shapes):
    """Weights by name; a norm's weights are near 1."""
    out = {}
    for name, shape in shapes.items():
        phase = sum(map(ord, name))
        w = wave(shape, phase)
        if name.endswith("running_mean"):
            w = torch.zeros(shape)
        elif name.endswith("running_var"):
            w = torch.ones(shape)
        elif len(shape) > 1:
            w = w / math.sqrt(math.prod(shape[1:]))
        elif "norm" in name or "ln_" in name:
            w = 0.1 * w + (1 if name.endswith("weight") else 0)
        else:
            w = 0.1 * w
        out[name] = w
    return out


def parameters(weights):
    return {k: v.clone().requires_grad_(True) for k, v in weights.items()}


def summary(weights):
    """Of each weight: the sum, the sum of squares and the last element."""
    return {k: [v.double().sum().item(), v.double().square().sum().item(), v.flatten()[-1].item()] for k, v in weights.items()}


def linear(p, name, x):
    return F.linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))


# ---- autoencoder of rows

MLP = {
    "encoder.0.weight": [16, 20], "encoder.0.bias": [16], "encoder.1.weight": [8, 16], "encoder.1.bias": [8],
    "encoder.out.weight": [3, 8], "encoder.out.bias": [3],
    "decoder.0.weight": [8, 3], "decoder.0.bias": [8], "decoder.1.weight": [16, 8], "decoder.1.bias": [16],
    "decoder.out.weight": [20, 16], "decoder.out.bias": [20],
}


def mlp(p, x):
    h = x
    for name in ["encoder.0", "encoder.1"]:
        h = F.relu(linear(p, name, h))
    h = linear(p, "encoder.out", h)
    for name in ["decoder.0", "decoder.1"]:
        h = F.relu(linear(p, name, h))
    return linear(p, "decoder.out", h)


def train_mlp(make_optimizer):
    p = parameters(begin(MLP))
    optimizer = make_optimizer(p.values())
    losses = []
    for t in range(1, STEPS + 1):
        x = wave([8, 20], t, 0.11)
        loss = F.mse_loss(mlp(p, x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"metrics": {"loss": losses}, "weights": summary(p)}


# ---- VAE

VAE = {
    "encoder.0.weight": [4, 1, 4, 4], "encoder.0.bias": [4], "encoder.1.weight": [8, 4, 4, 4], "encoder.1.bias": [8],
    "encoder.out.weight": [6, 128], "encoder.out.bias": [6],
    "decoder.in.weight": [128, 3], "decoder.in.bias": [128],
    "decoder.0.weight": [8, 4, 4, 4], "decoder.0.bias": [4], "decoder.1.weight": [4, 1, 4, 4], "decoder.1.bias": [1],
}

PRIOR = {"prior.0.weight": [128, 2], "prior.out.weight": [6, 128]}


def train_vae(is_conditional):
    p = parameters(begin({**VAE, **PRIOR} if is_conditional else VAE))
    optimizer = torch.optim.Adam(p.values(), 1e-2)
    metrics = {"loss": [], "reconstruction": [], "kl": []}
    for t in range(1, STEPS + 1):
        x = 0.5 + 0.5 * wave([4, 1, 16, 16], t, 0.11)
        noise = wave([4, 3], 0.9 * t, 1.7)
        h = F.relu(F.conv2d(x, p["encoder.0.weight"], p["encoder.0.bias"], 2, 1))
        h = F.relu(F.conv2d(h, p["encoder.1.weight"], p["encoder.1.bias"], 2, 1))
        mean, log_variance = linear(p, "encoder.out", h.flatten(1)).chunk(2, 1)
        z = mean + (0.5 * log_variance).exp() * noise
        h = F.relu(linear(p, "decoder.in", z)).reshape(4, 8, 4, 4)
        h = F.relu(F.conv_transpose2d(h, p["decoder.0.weight"], p["decoder.0.bias"], 2, 1))
        logits = F.conv_transpose2d(h, p["decoder.1.weight"], p["decoder.1.bias"], 2, 1)
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / 4
        told = torch.zeros(4, 6)
        if is_conditional:
            told = linear(p, "prior.out", F.relu(linear(p, "prior.0", wave([4, 2], 0.3 * t, 2.1))))
        prior_mean, prior_log_variance = told.chunk(2, 1)
        posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
        prior = torch.distributions.Normal(prior_mean, (0.5 * prior_log_variance).exp())
        kl = torch.distributions.kl_divergence(posterior, prior).sum() / 4
        loss = reconstruction + 2 * kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for name, value in [("loss", loss), ("reconstruction", reconstruction), ("kl", kl)]:
            metrics[name].append(value.item())
    return {"metrics": metrics, "weights": summary(p)}


# ---- GAN

GENERATOR = {
    "generator.in.weight": [128, 5], "generator.norm.0.weight": [8], "generator.norm.0.bias": [8],
    "generator.0.weight": [8, 4, 4, 4], "generator.norm.1.weight": [4], "generator.norm.1.bias": [4],
    "generator.out.weight": [4, 1, 4, 4],
}
GENERATOR_BUFFERS = {
    f"generator.norm.{i}.{what}": [c] for i, c in [(0, 8), (1, 4)] for what in ["running_mean", "running_var"]
}
CRITIC = {
    "critic.0.weight": [4, 1, 4, 4], "critic.1.weight": [8, 4, 4, 4], "critic.norm.1.weight": [8],
    "critic.norm.1.bias": [8], "critic.out.weight": [1, 128],
}
CRITIC_BUFFERS = {"critic.norm.1.running_mean": [8], "critic.norm.1.running_var": [8]}
CONDITIONAL_CRITIC = {
    "critic.0.weight": [4, 1, 4, 4], "critic.0.bias": [4], "critic.1.weight": [8, 4, 4, 4], "critic.1.bias": [8],
    "critic.out.weight": [1, 128], "critic.embedding.weight": [128, 2], "critic.condition.weight": [128, 128],
}


def batch_norm(p, buffers, name, x, track=True):
    mean, var = (buffers[f"{name}.running_mean"], buffers[f"{name}.running_var"]) if track else (None, None)
    return F.batch_norm(x, mean, var, p[f"{name}.weight"], p[f"{name}.bias"], True)


def generator(p, buffers, z, track=True):
    h = linear(p, "generator.in", z).reshape(-1, 8, 4, 4)
    h = F.relu(batch_norm(p, buffers, "generator.norm.0", h, track))
    h = F.conv_transpose2d(h, p["generator.0.weight"], None, 2, 1)
    h = F.relu(batch_norm(p, buffers, "generator.norm.1", h, track))
    return torch.tanh(F.conv_transpose2d(h, p["generator.out.weight"], None, 2, 1))


def dcgan_critic(p, buffers, x, track=False):
    h = F.leaky_relu(F.conv2d(x, p["critic.0.weight"], None, 2, 1), 0.2)
    h = batch_norm(p, buffers, "critic.norm.1", F.conv2d(h, p["critic.1.weight"], None, 2, 1), track)
    return linear(p, "critic.out", F.leaky_relu(h, 0.2).flatten(1))


def conditional_critic(p, x, condition):
    """Logits, and what was seen on the way."""
    first = F.leaky_relu(F.conv2d(x, p["critic.0.weight"], p["critic.0.bias"], 2, 1), 0.2)
    second = F.leaky_relu(F.conv2d(first, p["critic.1.weight"], p["critic.1.bias"], 2, 1), 0.2)
    h = second.flatten(1)
    projected = linear(p, "critic.condition", linear(p, "critic.embedding", condition))
    told = (projected * h).sum(1, keepdim=True) / math.sqrt(h.shape[1])
    return linear(p, "critic.out", h) + told, [x, first, second]


def augmented(x, t):
    """Another contrast and brightness of each image; moved by a pixel at most, and a square cut out."""
    x = x * (1 + 0.5 * wave([4, 1, 1, 1], t, 0.7)) + 0.3 * wave([4, 1, 1, 1], t, 1.3)
    out = []
    for i in range(4):
        right, down = (2 * i + t) % 3 - 1, (i + 2 * t) % 3 - 1
        left, top = (3 * i + t) % 10, (5 * i + 2 * t) % 10
        moved = F.pad(x[i], [1, 1, 1, 1])[:, 1 - down : 17 - down, 1 - right : 17 - right]
        keep = torch.ones(16, 16)
        keep[top : top + 8, left : left + 8] = 0
        out.append(moved * keep)
    return torch.stack(out)


@torch.no_grad()
def nearest(p, buffers, z, condition, x):
    """Of four drawings of each condition, the latents of the one nearest to its image."""
    drawn = generator(p, buffers, torch.cat([z, linear(p, "generator.condition", condition).repeat(4, 1)], 1))
    distances = (drawn.reshape(4, 4, -1) - x.reshape(1, 4, -1)).square().sum(2)
    return z.reshape(4, 4, -1)[distances.argmin(0), torch.arange(4)]


def train_dcgan():
    g, d = parameters(begin(GENERATOR)), parameters(begin(CRITIC))
    buffers, critic_buffers = begin(GENERATOR_BUFFERS), begin(CRITIC_BUFFERS)
    of_g = torch.optim.Adam(g.values(), 2e-3, (0.5, 0.999))
    of_d = torch.optim.Adam(d.values(), 2e-3, (0.5, 0.999))
    metrics = {"critic": [], "generator": []}
    for t in range(1, STEPS + 1):
        x, z = wave([4, 1, 16, 16], t, 0.11), wave([4, 5], 0.9 * t, 1.7)
        fake = generator(g, buffers, z)
        real_logits = dcgan_critic(d, critic_buffers, x, True)
        loss_d = F.softplus(-real_logits).mean() + F.softplus(dcgan_critic(d, critic_buffers, fake.detach())).mean()
        of_d.zero_grad()
        loss_d.backward()
        of_d.step()
        loss_g = F.softplus(-dcgan_critic(d, critic_buffers, fake)).mean()
        of_g.zero_grad()
        loss_g.backward()
        of_g.step()
        metrics["critic"].append(loss_d.item())
        metrics["generator"].append(loss_g.item())
    return {"metrics": metrics, "weights": summary({**g, **d, **buffers, **critic_buffers})}


def train_relativistic(matching):
    """Pairs of real and made images; the critic's gradient at real ones, by a little noise, counts 5 / 2. With `matching`,
    images are augmented, that gradient counts 1 / 2, and the perceptual loss of the nearest drawings so much."""
    told = {"generator.in.weight": [128, 133], "generator.condition.weight": [128, 2]}
    g, d = parameters(begin({**GENERATOR, **told})), parameters(begin(CONDITIONAL_CRITIC))
    buffers = begin(GENERATOR_BUFFERS)
    of_g = torch.optim.Adam(g.values(), 2e-3, (0.0, 0.99))
    of_d = torch.optim.Adam(d.values(), 2e-3, (0.0, 0.99))
    metrics = {"critic": [], "generator": []} | ({"matching": []} if matching else {})
    average = {k: v.detach().clone() for k, v in g.items()}
    for t in range(1, STEPS + 1):
        # Half of the steps at the highest rate, then along half a cosine to nothing.
        rate = 2e-3 * 0.5 * (1 + math.cos(math.pi * max(0, (t - STEPS / 2) / (STEPS / 2))))
        for group in of_g.param_groups + of_d.param_groups:
            group["lr"] = rate
        x, z, condition = wave([4, 1, 16, 16], t, 0.11), wave([4, 5], 0.9 * t, 1.7), wave([4, 2], 0.3 * t, 2.1)
        if matching:
            z = nearest(g, buffers, wave([16, 5], 0.9 * t, 1.7), condition, x)
        fake = generator(g, buffers, torch.cat([z, linear(g, "generator.condition", condition)], 1), not matching)
        if matching:
            x, fake = augmented(x, t), augmented(fake, t)
        real_logits, seen = conditional_critic(d, x, condition)
        near, _ = conditional_critic(d, x + 0.1 * wave([4, 1, 16, 16], 1.1 * t, 2.3), condition)
        steadiness = (near - real_logits).square().mean() / 0.1**2
        fake_logits, _ = conditional_critic(d, fake.detach(), condition)
        loss_d = F.softplus(fake_logits - real_logits).mean() + (0.5 if matching else 2.5) * steadiness
        of_d.zero_grad()
        loss_d.backward()
        of_d.step()
        logits, features = conditional_critic(d, fake, condition)
        loss_g = F.softplus(conditional_critic(d, x, condition)[0].detach() - logits).mean()
        metrics["critic"].append(loss_d.item())
        metrics["generator"].append(loss_g.item())
        if matching:
            told = torch.tensor([1.0, 0.0, 1.0, 1.0]).reshape(4, 1, 1, 1)
            apart = sum(((a - b.detach()).abs() * told).mean() for a, b in zip(features, seen))
            metrics["matching"].append(apart.item())
            loss_g = loss_g + matching * apart
        of_g.zero_grad()
        loss_g.backward()
        of_g.step()
        for k, v in g.items():
            average[k] = 0.9 * average[k] + 0.1 * v.detach()
    return {"metrics": metrics, "weights": summary({**g, **d, **buffers}), "average": summary(average)}


# ---- GPT

VOCABULARY, LENGTH, WIDTH, HEADS, LAYERS = 17, 64, 16, 2, 2
GPT = {"wte.weight": [VOCABULARY, WIDTH], "wpe.weight": [LENGTH, WIDTH]}
for i in range(LAYERS):
    GPT |= {
        f"h.{i}.ln_1.weight": [WIDTH], f"h.{i}.ln_1.bias": [WIDTH],
        f"h.{i}.attn.c_attn.weight": [3 * WIDTH, WIDTH], f"h.{i}.attn.c_attn.bias": [3 * WIDTH],
        f"h.{i}.attn.c_proj.weight": [WIDTH, WIDTH], f"h.{i}.attn.c_proj.bias": [WIDTH],
        f"h.{i}.ln_2.weight": [WIDTH], f"h.{i}.ln_2.bias": [WIDTH],
        f"h.{i}.mlp.c_fc.weight": [4 * WIDTH, WIDTH], f"h.{i}.mlp.c_fc.bias": [4 * WIDTH],
        f"h.{i}.mlp.c_proj.weight": [WIDTH, 4 * WIDTH], f"h.{i}.mlp.c_proj.bias": [WIDTH],
    }
GPT |= {"ln_f.weight": [WIDTH], "ln_f.bias": [WIDTH], "lm_head.weight": [VOCABULARY, WIDTH]}


def gpt(p, ids):
    batch, length = ids.shape
    norm = lambda name, x: F.layer_norm(x, [WIDTH], p[f"{name}.weight"], p[f"{name}.bias"])
    x = p["wte.weight"][ids] + p["wpe.weight"][:length]
    for i in range(LAYERS):
        qkv = linear(p, f"h.{i}.attn.c_attn", norm(f"h.{i}.ln_1", x)).reshape(batch, length, 3, HEADS, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, length, WIDTH)
        x = x + linear(p, f"h.{i}.attn.c_proj", seen)
        wide = F.gelu(linear(p, f"h.{i}.mlp.c_fc", norm(f"h.{i}.ln_2", x)), approximate="tanh")
        x = x + linear(p, f"h.{i}.mlp.c_proj", wide)
    return linear(p, "lm_head", norm("ln_f", x))


def train_gpt():
    p = parameters(begin(GPT))
    optimizer = torch.optim.AdamW(p.values(), 1e-2, weight_decay=0.1)
    metrics = {"loss": [], "gpt.gradient_norm": []}
    for t in range(1, STEPS + 1):
        # Warmed up over 5 steps, then along half a cosine to a tenth.
        rate = 1e-2 * (t / 5 if t < 5 else 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (t - 5) / (STEPS - 5))))
        for group in optimizer.param_groups:
            group["lr"] = rate
        text = torch.tensor([[(i * i + 3 * b + t) % VOCABULARY for i in range(LENGTH + 1)] for b in range(2)])
        loss = F.cross_entropy(gpt(p, text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(p.values(), 0.5)
        optimizer.step()
        metrics["loss"].append(loss.item())
        metrics["gpt.gradient_norm"].append(norm.item())
    # A bias of the keys changes nothing: its gradient is rounding alone, of which Adam makes steps.
    learned = {k: v for k, v in p.items() if not k.endswith("c_attn.bias")}
    return {"metrics": metrics, "weights": summary(learned)}


# ---- adapters beside a Llama

HIDDEN, KV_HEADS, HEAD, FFN, RANK = 24, 2, 8, 20, 3
MATRICES = {
    "attn_q": [4 * HEAD, HIDDEN], "attn_k": [KV_HEADS * HEAD, HIDDEN], "attn_v": [KV_HEADS * HEAD, HIDDEN],
    "attn_output": [HIDDEN, 4 * HEAD], "ffn_gate": [FFN, HIDDEN], "ffn_up": [FFN, HIDDEN], "ffn_down": [HIDDEN, FFN],
}
LLAMA = {"token_embd.weight": [VOCABULARY, HIDDEN], "output_norm.weight": [HIDDEN]}
ADAPTERS = {}
for i in range(LAYERS):
    LLAMA |= {f"blk.{i}.attn_norm.weight": [HIDDEN], f"blk.{i}.ffn_norm.weight": [HIDDEN]}
    LLAMA |= {f"blk.{i}.{name}.weight": shape for name, shape in MATRICES.items()}
    for name, (rows, columns) in MATRICES.items():
        if name != "attn_k":
            ADAPTERS[f"blk.{i}.{name}.weight.lora_a"] = [RANK, columns]
            ADAPTERS[f"blk.{i}.{name}.weight.lora_b"] = [rows, RANK]


def rotate(x, base=1000.0):
    """Neighbouring elements of a head [..., length, HEAD] turn together."""
    angles = torch.outer(torch.arange(x.shape[-2]).double(), base ** (torch.arange(0, HEAD, 2).double() / -HEAD))
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = angles.cos().float(), angles.sin().float()
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def llama(w, p, ids):
    batch, length = ids.shape
    norm = lambda name, x: F.rms_norm(x, [HIDDEN], w[f"{name}.weight"], 1e-5)
    x = w["token_embd.weight"][ids]
    for i in range(LAYERS):
        def project(name, x):
            name = f"blk.{i}.{name}.weight"
            y = F.linear(x, w[name])
            return y + 0.5 * (x @ p[f"{name}.lora_a"].T) @ p[f"{name}.lora_b"].T if f"{name}.lora_a" in p else y

        h = norm(f"blk.{i}.attn_norm", x)
        q, k, v = [project(n, h).reshape(batch, length, -1, HEAD).transpose(1, 2) for n in ["attn_q", "attn_k", "attn_v"]]
        k, v = [part.repeat_interleave(4 // KV_HEADS, 1) for part in (rotate(k), v)]
        seen = F.scaled_dot_product_attention(rotate(q), k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + project("attn_output", seen)
        h = norm(f"blk.{i}.ffn_norm", x)
        x = x + project("ffn_down", F.silu(project("ffn_gate", h)) * project("ffn_up", h))
    return norm("output_norm", x) @ w["token_embd.weight"].T


def train_lora():
    w, p = begin(LLAMA), parameters(begin(ADAPTERS))
    optimizer = torch.optim.Adam(p.values(), 3e-3)
    metrics = {"loss": [], "adapters.gradient_norm": []}
    for t in range(1, STEPS + 1):
        text = torch.tensor([[(i * i + 3 * b + t) % VOCABULARY for i in range(LENGTH + 1)] for b in range(2)])
        loss = F.cross_entropy(llama(w, p, text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(p.values(), 0.5)
        optimizer.step()
        metrics["loss"].append(loss.item())
        metrics["adapters.gradient_norm"].append(norm.item())
    return {"metrics": metrics, "weights": summary(p)}


# ---- translation

WORDS, DIM, HIDDEN_DIM, LINES, SOURCE, TARGET, KEPT = 19, 16, 24, 2, 12, 10, 4096
TRANSLATION = {"embedding.weight": [WORDS, DIM]}


def shapes_of(name, shapes):
    return {f"{name}.{k}": v for k, v in shapes.items()}


NORM = {"weight": [DIM], "bias": [DIM]}
ATTENTION = {
    **shapes_of("attention_norm", NORM),
    "attention.qkv.weight": [3 * DIM, DIM], "attention.qkv.bias": [3 * DIM],
    "attention.out.weight": [DIM, DIM], "attention.out.bias": [DIM],
}
CROSS = {
    **shapes_of("cross_norm", NORM),
    "cross.q.weight": [DIM, DIM], "cross.q.bias": [DIM], "cross.kv.weight": [2 * DIM, DIM], "cross.kv.bias": [2 * DIM],
    "cross.out.weight": [DIM, DIM], "cross.out.bias": [DIM],
}
FORWARD = {
    **shapes_of("ffn_norm", NORM), "ffn.in.weight": [HIDDEN_DIM, DIM], "ffn.in.bias": [HIDDEN_DIM],
    "ffn.out.weight": [DIM, HIDDEN_DIM], "ffn.out.bias": [DIM],
}
for i in range(LAYERS):
    TRANSLATION |= shapes_of(f"encoder.{i}", {**ATTENTION, **FORWARD})
    TRANSLATION |= shapes_of(f"decoder.{i}", {**ATTENTION, **CROSS, **FORWARD})
TRANSLATION |= shapes_of("encoder.norm", NORM) | shapes_of("decoder.norm", NORM)


def translate(p, source, target, drop):
    """Each side: ids, places and sentences, [LINES, length] each."""
    norm = lambda name, x: F.layer_norm(x, [DIM], p[f"{name}.weight"], p[f"{name}.bias"])
    angles = torch.outer(torch.arange(16).double(), 10_000.0 ** -(torch.arange(DIM // 2).double() / (DIM // 2)))
    waves = torch.cat([angles.sin(), angles.cos()], 1).float()
    embedded = [math.sqrt(DIM) * p["embedding.weight"][ids] + waves[places] for ids, places, _ in (source, target)]
    flat = drop(torch.cat([x.flatten(0, 1) for x in embedded]))
    x = flat[: LINES * SOURCE].reshape(LINES, SOURCE, DIM)
    y = flat[LINES * SOURCE :].reshape(LINES, TARGET, DIM)

    def attend(q, k, v, seen):
        q, k, v = [part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (q, k, v)]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=seen[:, None]).transpose(1, 2).flatten(2)

    same = lambda a, b: a[2][:, :, None] == b[2][:, None, :]
    added = lambda x, block: x + drop(block.flatten(0, 1)).reshape(x.shape)

    def own(name, x, seen):
        q, k, v = linear(p, f"{name}.attention.qkv", norm(f"{name}.attention_norm", x)).chunk(3, -1)
        return added(x, linear(p, f"{name}.attention.out", attend(q, k, v, seen)))

    def forward(name, x):
        return added(x, linear(p, f"{name}.ffn.out", F.relu(linear(p, f"{name}.ffn.in", norm(f"{name}.ffn_norm", x)))))

    for i in range(LAYERS):
        x = forward(f"encoder.{i}", own(f"encoder.{i}", x, same(source, source)))
    memory = norm("encoder.norm", x)
    before = torch.ones(TARGET, TARGET).tril().bool()
    for i in range(LAYERS):
        name = f"decoder.{i}"
        y = own(name, y, same(target, target) & before)
        k, v = linear(p, f"{name}.cross.kv", memory).chunk(2, -1)
        q = linear(p, f"{name}.cross.q", norm(f"{name}.cross_norm", y))
        y = added(y, linear(p, f"{name}.cross.out", attend(q, k, v, same(target, source))))
        y = forward(name, y)
    return norm("decoder.norm", y) @ p["embedding.weight"].T


def lines_of(lengths, length, t):
    """Sentences of the given lengths one after the other in each line, then what fills it up."""
    ids = torch.tensor([[(i * i + 3 * b + t) % WORDS for i in range(length)] for b in range(LINES)])
    places = [i for n in lengths for i in range(n)] + [0] * (length - sum(lengths))
    sentences = [j for j, n in enumerate(lengths) for _ in range(n)] + [len(lengths)] * (length - sum(lengths))
    return ids, torch.tensor([places] * LINES), torch.tensor([sentences] * LINES)


def train_translation():
    p = parameters(begin(TRANSLATION))
    average = {k: v.detach().clone() for k, v in p.items()}
    optimizer = torch.optim.Adam(p.values(), 5e-3, betas=(0.9, 0.98))
    metrics = {"loss": [], "cross_entropy": [], "translator.gradient_norm": []}
    kept = (wave([KEPT, DIM], 0.5, 1.3) > -0.8).float() / 0.8
    picks = LINES * (SOURCE * (1 + 2 * LAYERS) + TARGET * (1 + 3 * LAYERS))
    for t in range(1, STEPS + 1):
        source, target = lines_of([5, 4], SOURCE, t), lines_of([3, 6], TARGET, 2 * t)
        following = torch.tensor([[(5 * i + b + t) % WORDS for i in range(TARGET)] for b in range(LINES)]).flatten()
        counted = torch.tensor([[1.0 if i < 9 else 0.0 for i in range(TARGET)]] * LINES).flatten() / (9 * LINES)
        chosen = torch.tensor([(7 * i + t) % KEPT for i in range(picks)])
        at = 0

        def drop(x):
            nonlocal at
            at += len(x)
            return x * kept[chosen[at - len(x) : at]]

        logits = translate(p, source, target, drop).flatten(0, 1)
        assert at == picks
        loss = (F.cross_entropy(logits, following, reduction="none", label_smoothing=0.1) * counted).sum()
        plain = (F.cross_entropy(logits, following, reduction="none") * counted).sum()
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(p.values(), 0.5)
        optimizer.step()
        for name, value in [("loss", loss), ("cross_entropy", plain), ("translator.gradient_norm", norm)]:
            metrics[name].append(value.item())
        for k, v in p.items():
            average[k] = 0.99 * average[k] + 0.01 * v.detach()
    # As in the GPT, of biases of keys.
    learned = lambda weights: {k: v for k, v in weights.items() if not k.endswith(("qkv.bias", "kv.bias"))}
    return {"metrics": metrics, "weights": summary(learned(p)), "average": summary(learned(average))}


trajectories = {
    "mlp-adamw": train_mlp(lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.1)),
    "mlp-sgd": train_mlp(lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True)),
    "mlp-sgd-plain": train_mlp(lambda p: torch.optim.SGD(p, 0.1)),
    "vae": train_vae(False),
    "conditional-vae": train_vae(True),
    "dcgan": train_dcgan(),
    "relativistic": train_relativistic(0),
    "augmented": train_relativistic(2),
    "gpt": train_gpt(),
    "lora": train_lora(),
    "translation": train_translation(),
}
target = pathlib.Path(__file__).with_name("trajectories.json")
target.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "trajectories": trajectories}, indent=1) + "\n")
