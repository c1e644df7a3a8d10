#!/usr/bin/env python3
"""Writes PyTorch's files in this folder with PyTorch, and expected_torch.json: what import must make of each.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 numpy==2.4.6
    venv/bin/python make_torch.py
    apt-get install python3-torch && /usr/bin/python3 make_torch.py old      # version 1.13, two files more

Needed only to change the files: the tests read what is stored here.
"""
import collections
import io
import json
import os
import pickle
import shutil
import sys
import zipfile

import torch

os.chdir(os.path.dirname(os.path.abspath(__file__)))
WIDENED = {torch.int16: "int32", torch.int8: "int32", torch.bool: "uint8"}


def data(t):
    t = t.detach()
    if t.dtype in (torch.int16, torch.int8):
        t = t.to(torch.int32)
    t = t.contiguous()
    return t.view(torch.uint8).numpy().tobytes() if t.dim() else t.reshape(1).view(torch.uint8).numpy().tobytes()


def tensor(t):
    name = WIDENED.get(t.dtype, str(t.dtype).removeprefix("torch."))
    return {"dtype": name, "shape": list(t.shape), "bytes": data(t).hex()}


expected = {}


def holds(file, tensors):
    expected[file] = {"tensors": {name.replace(".", "/"): tensor(t) for name, t in tensors.items()}}


def refused(file, *says):
    expected[file] = {"refused": list(says)}


def floats(kind):
    info = torch.finfo(kind)
    return torch.tensor([0.0, -0.0, 1.0, -1.5, info.max, info.tiny, float("inf"), float("-inf")], dtype=kind).reshape(2, 4)


def integers(kind):
    info = torch.iinfo(kind)
    return torch.tensor([[info.min, 0, 1], [2, info.max - 1, info.max]], dtype=kind)


def kinds():
    out = {str(k).removeprefix("torch."): floats(k) for k in (torch.float64, torch.float32, torch.float16, torch.bfloat16)}
    out |= {str(k).removeprefix("torch."): integers(k) for k in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)}
    return out | {"bool": torch.tensor([True, False, True])}


def views():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    shorts = torch.arange(-6, 6, dtype=torch.int16).reshape(3, 4)
    tied = torch.arange(3, dtype=torch.float64)
    return collections.OrderedDict({
        "scalar": torch.tensor(2.5), "empty": torch.zeros(0, dtype=torch.int64), "no_rows": torch.zeros(0, 3), "no_columns": torch.zeros(2, 0, 4),
        "rows": base[1:3], "columns": base[:, 2:4], "every_other": base[::2, ::3], "transposed": base.t(), "permuted": base.reshape(2, 2, 6).permute(2, 0, 1),
        "shorts.transposed": shorts.t(), "last": base[3, 5], "parameter": torch.nn.Parameter(torch.ones(2)), "one_row": torch.arange(3).expand(1, 3),
        "tied.a": tied, "tied.b": tied})


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(3, 2)


def rewrite(source, target, method=zipfile.ZIP_STORED, change=lambda name, content: content):
    """The archive again, by Python's zip, with members changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), change(name, old.read(name)), method)


def old():
    """Of version 1.13."""
    torch.save({**kinds(), **views()}, "torch-1.13.bin")
    torch.save({**kinds(), **views()}, "torch-1.13-legacy.bin", _use_new_zipfile_serialization=False)


def main():
    torch.manual_seed(1)
    torch.save(kinds(), "torch-types.pt")
    holds("torch-types.pt", kinds())
    torch.save(views(), "torch-views.pth")
    holds("torch-views.pth", views())
    holds("torch-1.13.bin", {**kinds(), **views()})
    # The format before version 1.6.
    holds("torch-1.13-legacy.bin", {**kinds(), **views()})
    torch.save({"model": views(), "step": 3}, "torch-legacy.pt", _use_new_zipfile_serialization=False)
    holds("torch-legacy.pt", {"model." + k: v for k, v in views().items()})
    torch.save(views(), "torch-protocol4.pt", pickle_protocol=4)
    holds("torch-protocol4.pt", views())
    rewrite("torch-views.pth", "torch-deflated.bin", zipfile.ZIP_DEFLATED)
    holds("torch-deflated.bin", views())
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    torch.save(module.state_dict(), "torch-module.bin")
    holds("torch-module.bin", module.state_dict())
    torch.save(torch.arange(3), "torch-one.pt")
    holds("torch-one.pt", {"tensor": torch.arange(3)})
    torch.save({}, "torch-nothing.pt")
    holds("torch-nothing.pt", {})

    # What a training program keeps: steps, rates and hyperparameters beside the model.
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, betas=(0.9, 0.95))
    module(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    whole = {"model": module.state_dict(), "optimizer": optimizer.state_dict(), "hparams": {"name": "small", "lr": 4e-4, "on": True, "seed": 10**12},
             "iter_num": 7, "extra": [torch.ones(1), (torch.zeros(2), None)]}
    torch.save(whole, "torch-training.ckpt")
    tensors = {"model." + k: v for k, v in module.state_dict().items()}
    tensors |= {f"optimizer.state.{i}.{k}": v for i, s in optimizer.state_dict()["state"].items() for k, v in s.items()}
    holds("torch-training.ckpt", tensors | {"extra.0": torch.ones(1), "extra.1.0": torch.zeros(2)})

    shutil.rmtree("torch-sharded", ignore_errors=True)
    os.mkdir("torch-sharded")
    shards = {"pytorch_model-00001-of-00002.bin": {"a.weight": floats(torch.float32)},
              "pytorch_model-00002-of-00002.bin": {"b.weight": integers(torch.int64), "b.bias": floats(torch.float16)}}
    for name, part in shards.items():
        torch.save(part, "torch-sharded/" + name)
    with open("torch-sharded/pytorch_model.bin.index.json", "w") as f:
        json.dump({"metadata": {}, "weight_map": {t: s for s, part in shards.items() for t in part}}, f, indent=2)
    holds("torch-sharded", {t: v for part in shards.values() for t, v in part.items()})

    # --- what is refused
    torch.save(Layer(), "torch-object.pt")
    refused("torch-object.pt", "data.pkl: refers to '__main__.Layer', which is no part of a state dict")
    torch.save({"c": torch.zeros(2, dtype=torch.complex64)}, "torch-complex.pt")
    refused("torch-complex.pt", "refers to 'torch.ComplexFloatStorage'")
    torch.save({"u": torch.zeros(2, dtype=torch.uint16)}, "torch-uint16.pt")
    refused("torch-uint16.pt", "refers to 'torch._utils._rebuild_tensor_v3'")
    torch.save({"s": torch.eye(2).to_sparse()}, "torch-sparse.pt")
    refused("torch-sparse.pt", "refers to 'torch._utils._rebuild_sparse_tensor'")
    torch.save({"x": torch.arange(2.0).expand(1000, 2)}, "torch-repeated.pt")
    refused("torch-repeated.pt", "tensor 'x': shape and strides need more than the 2 elements of its storage")

    class Evil:
        def __init__(self, function, *arguments):
            self.call = function, arguments

        def __reduce__(self):
            return self.call

    def hostile(name, thing, *says):
        buffer = io.BytesIO()
        torch.save({"w": torch.ones(2)}, buffer)
        content = pickle.dumps({"w": thing}, protocol=2)
        rewrite(buffer, f"torch-{name}.bin", change=lambda member, old: content if member.endswith("/data.pkl") else old)
        refused(f"torch-{name}.bin", *says)

    hostile("system", Evil(os.system, "touch /tmp/owned"), "refers to 'posix.system'", "a model file is data and can run no code")
    hostile("eval", Evil(eval, "1+1"), "refers to '__builtin__.eval'")
    hostile("getattr", Evil(getattr, "", "join"), "refers to '__builtin__.getattr'")

    with open("expected_torch.json", "w") as f:
        json.dump(expected, f, indent=1)
        f.write("\n")


old() if sys.argv[1:] == ["old"] else main()
