#!/usr/bin/env python3
"""A small BERT and a small X-CLIP with random weights, under the names that HFL's checkpoints and X-CLIP's own code have, and
what the reference (transformers) makes of some texts and frames.

    pip install torch transformers safetensors && python make.py

writes bert.safetensors, vocab.txt, xclip.safetensors and expected.npz: tokens and pooled of each text, frames [B, T, 3, 32, 32]
(float32) and video [B, d_o]. transformers names X-CLIP's tensors otherwise: its own conversion is undone here.
"""
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, BertTokenizer, XCLIPConfig, XCLIPModel

HERE = pathlib.Path(__file__).parent
WIDTH = 16
TEXTS = ["Red mug, unbelievable!", "Caf\u00e9 na\u00efve \u7ea2\u8272\u676f\u5b50 50%", "", "zzz mugs\tred\u200bmug x\u0000y", " ".join(["mug"] * 16),
         "\u00c5ngstr\u00f6m redmugs"]
LENGTH = 12


def bert():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("abcdefgmnrux") + ["##" + c for c in "abcdeghilmnorstuvy"]
    pieces += ["red", "mug", "##s", "##mug", "##able", "cafe", "naive", "un", "\u7ea2", "\u8272", "\u676f", "50", ",", "!", "%", "an"]
    pieces = list(dict.fromkeys(pieces))
    (HERE / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    config = BertConfig(vocab_size=len(pieces), hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=4 * WIDTH,
                        max_position_embeddings=20, hidden_dropout_prob=0, attention_probs_dropout_prob=0)
    model = BertModel(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * 0.3 + (1 if p.dim() == 1 and p.numel() == WIDTH else 0))
    tokenizer = BertTokenizer(str(HERE / "vocab.txt"), do_lower_case=True)
    out = {}
    for i, text in enumerate(TEXTS):
        ids = tokenizer(text, truncation=True, max_length=LENGTH)["input_ids"]
        with torch.no_grad():
            out[f"tokens_{i}"] = np.array(ids, np.int64)
            out[f"pooled_{i}"] = model(input_ids=torch.tensor([ids])).pooler_output[0].numpy()
    save_file({"bert." + k: v.contiguous() for k, v in model.state_dict().items()}, HERE / "bert.safetensors")
    return out


def attention(state, before, into, name, out):
    for kind in ("weight", "bias"):
        out[f"{into}.in_proj_{kind}"] = torch.cat([state[f"{before}.{name}.{p}_proj.{kind}"] for p in "qkv"])
        out[f"{into}.out_proj.{kind}"] = state[f"{before}.{name}.out_proj.{kind}"]


def layer(state, before, into, out):
    attention(state, before, into + ".attn", "self_attn", out)
    for theirs, ours in (("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
        for kind in ("weight", "bias"):
            out[f"{into}.{ours}.{kind}"] = state[f"{before}.{theirs}.{kind}"]


def xclip():
    text = dict(vocab_size=20, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=8)
    vision = dict(hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8,
                  mit_hidden_size=8, mit_intermediate_size=32, mit_num_hidden_layers=1, mit_num_attention_heads=2, num_frames=4,
                  drop_path_rate=0.0)
    model = XCLIPModel(XCLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.randn_like(p) * 0.3 + (1 if "norm" in name and name.endswith("weight") else 0))
    state, out = model.state_dict(), {}
    out["visual.class_embedding"] = state["vision_model.embeddings.class_embedding"]
    out["visual.conv1.weight"] = state["vision_model.embeddings.patch_embedding.weight"]
    out["visual.positional_embedding"] = state["vision_model.embeddings.position_embedding.weight"]
    for theirs, ours in (("vision_model.pre_layernorm", "visual.ln_pre"), ("vision_model.post_layernorm", "visual.ln_post")):
        for kind in ("weight", "bias"):
            out[f"{ours}.{kind}"] = state[f"{theirs}.{kind}"]
    out["visual.proj"] = state["visual_projection.weight"].T
    for i in range(2):
        before, into = f"vision_model.encoder.layers.{i}", f"visual.transformer.resblocks.{i}"
        layer(state, before, into, out)
        attention(state, before, into + ".message_attn", "message_attn", out)
        for name in ("message_fc", "message_ln"):
            for kind in ("weight", "bias"):
                out[f"{into}.{name}.{kind}"] = state[f"{before}.{name}.{kind}"]
    out["mit.positional_embedding"] = state["mit.position_embedding"]
    layer(state, "mit.encoder.layers.0", "mit.resblocks.0", out)
    out["logit_scale"] = state["logit_scale"]
    save_file({k: v.contiguous() for k, v in out.items()}, HERE / "xclip.safetensors")
    frames = torch.randn(3, 4, 3, 32, 32)
    with torch.no_grad():
        video = model.get_video_features(pixel_values=frames)
    video = video if isinstance(video, torch.Tensor) else video.pooler_output
    return {"frames": frames.numpy(), "video": video.numpy()}


torch.manual_seed(7)
np.savez(HERE / "expected.npz", **bert(), **xclip())
