#!/usr/bin/env python3
"""A small GPT-2 with random weights, as its checkpoints lie on disk, and its logits by the equations of its paper.

    pip install numpy && python make_gpt2.py

writes the folder gpt2 beside this file: config.json, model.safetensors (matrices [in, out], no "transformer." in front, the
masks of old versions among them) and expected.npz with tokens [T] (int64) and logits [T, vocabulary] (float32), in float64
until the end. The model is that of the released code of Radford et al. 2019: layer norms in front, learned positions, gelu by
tanh, the head tied to the embedding.
"""
import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent / "gpt2"
V, LAYERS, H, HEADS, CONTEXT, TOKENS = 384, 2, 32, 4, 64, 32
EPSILON = 1e-5


def weights(rng):
    def matrix(*shape):
        return (0.3 * rng.standard_normal(shape)).astype(np.float32)

    def vector(n, mean=0.0):
        return (mean + 0.1 * rng.standard_normal(n)).astype(np.float32)

    out = {"wte.weight": matrix(V, H), "wpe.weight": matrix(CONTEXT, H), "ln_f.weight": vector(H, 1), "ln_f.bias": vector(H)}
    for i in range(LAYERS):
        p = f"h.{i}."
        for norm in ("ln_1", "ln_2"):
            out[p + norm + ".weight"], out[p + norm + ".bias"] = vector(H, 1), vector(H)
        for name, a, b in (("attn.c_attn", H, 3 * H), ("attn.c_proj", H, H), ("mlp.c_fc", H, 4 * H), ("mlp.c_proj", 4 * H, H)):
            out[p + name + ".weight"], out[p + name + ".bias"] = matrix(a, b), vector(b)
        out[p + "attn.bias"] = np.tril(np.ones((1, 1, CONTEXT, CONTEXT), np.float32))
    return out


def logits_of(w, tokens):
    w = {name: value.astype(np.float64) for name, value in w.items()}

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON) * w[name + ".weight"] + w[name + ".bias"]

    def conv1d(x, name):
        return x @ w[name + ".weight"] + w[name + ".bias"]

    n, d = len(tokens), H // HEADS
    x = w["wte.weight"][tokens] + w["wpe.weight"][:n]
    for i in range(LAYERS):
        p = f"h.{i}."
        q, k, v = (part.reshape(n, HEADS, d).transpose(1, 0, 2) for part in np.split(conv1d(norm(x, p + "ln_1"), p + "attn.c_attn"), 3, -1))
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(d) + np.triu(np.full((n, n), -1e30), 1)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        x = x + conv1d(mixed.transpose(1, 0, 2).reshape(n, H), p + "attn.c_proj")
        u = conv1d(norm(x, p + "ln_2"), p + "mlp.c_fc")
        x = x + conv1d(0.5 * u * (1 + np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u**3))), p + "mlp.c_proj")
    return norm(x, "ln_f") @ w["wte.weight"].T


def save(path, tensors):
    header, at = {}, 0
    for name, value in sorted(tensors.items()):
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(value.tobytes() for _, value in sorted(tensors.items())))


def main():
    HERE.mkdir(exist_ok=True)
    rng = np.random.default_rng(7)
    tensors = weights(rng)
    tokens = rng.integers(0, V, TOKENS)
    (HERE / "config.json").write_text(json.dumps({
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": V, "n_layer": LAYERS, "n_embd": H, "n_head": HEADS,
        "n_positions": CONTEXT, "n_ctx": CONTEXT, "n_inner": None, "activation_function": "gelu_new", "layer_norm_epsilon": EPSILON,
        "bos_token_id": 383, "eos_token_id": 383}, indent=2) + "\n")
    save(HERE / "model.safetensors", tensors)
    logits = logits_of(tensors, tokens).astype(np.float32)
    np.savez(HERE / "expected.npz", tokens=tokens.astype(np.int64), logits=logits)
    print(logits.std())


main()
