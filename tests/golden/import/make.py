#!/usr/bin/env python3
"""Writes the files in this folder with the reference libraries, and expected.json: what import must make of each.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 safetensors==0.8.0 ml_dtypes==0.6.0
    venv/bin/python make.py

Needed only to change the files: the tests read what is stored here.
"""
import io
import json
import os
import shutil
import zipfile

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

os.chdir(os.path.dirname(os.path.abspath(__file__)))
expected = {}

# What a tensor of each kind becomes: the kinds that tensors have stay, the others widen.
KEPT = {"float64", "float32", "float16", "bfloat16", "int64", "int32", "uint16", "uint8"}
WIDENED = {"int16": "int32", "int8": "int32", "uint32": "int64", "uint64": "int64", "bool": "uint8"}


def tensor(array):
    array = np.asarray(array)
    name = array.dtype.name
    if name not in KEPT:
        name = WIDENED[name]
    kind = ml_dtypes.bfloat16 if name == "bfloat16" else np.dtype(name).newbyteorder("<")
    # Through an array of the same byte order: astype keeps every bit of a NaN there.
    native = array.astype(array.dtype.newbyteorder("="))
    data = (native if native.dtype == kind else native.astype(kind)).tobytes(order="C")
    return {"dtype": name, "shape": list(array.shape), "bytes": data.hex()}


def holds(file, arrays):
    expected[file] = {"tensors": {name.replace(".", "/"): tensor(a) for name, a in arrays.items()}}


def refused(file, *says):
    expected[file] = {"refused": list(says)}


def floats(kind):
    info = ml_dtypes.finfo(kind)
    values = [0.0, -0.0, 1.0, -1.5, float(info.max), float(info.tiny), float(info.smallest_subnormal), np.inf, -np.inf, np.nan]
    return np.array(values, dtype=kind).reshape(2, 5)


def integers(kind):
    info = np.iinfo(kind)
    top = min(info.max, np.iinfo(np.int64).max)  # what does not fit int64 is refused
    return np.array([[info.min, 0, 1], [2, top - 1, top]], dtype=kind)


KINDS = {f"f{8 * np.dtype(k).itemsize}": floats(k) for k in (np.float64, np.float32, np.float16)}
KINDS |= {np.dtype(k).name: integers(k) for k in (np.int64, np.int32, np.int16, np.int8, np.uint64, np.uint32, np.uint16, np.uint8)}
KINDS["bool"] = np.array([True, False, True])
SHAPES = {
    "scalar": np.array(2.5, dtype=np.float32),
    "empty": np.zeros((0,), dtype=np.int64),
    "no_rows": np.zeros((0, 3), dtype=np.float32),
    "no_columns": np.zeros((2, 0, 4), dtype=np.float64),
    "deep": np.arange(2 * 3 * 1 * 2 * 2, dtype=np.int32).reshape(2, 3, 1, 2, 2),
    "encoder.0.weight": np.arange(6, dtype=np.float16).reshape(2, 3),
    "encoder.0.bias": np.arange(2, dtype=np.float16),
}

# --- safetensors
types = KINDS | {"bf16": floats(ml_dtypes.bfloat16)}
safetensors.numpy.save_file(types, "types.safetensors", metadata={"format": "pt", "note": "grüße"})
holds("types.safetensors", types)
safetensors.numpy.save_file(SHAPES, "shapes.safetensors")
holds("shapes.safetensors", SHAPES)
safetensors.numpy.save_file({}, "nothing.safetensors")
holds("nothing.safetensors", {})
too_large = {"u": np.array([1, 2**64 - 1], dtype=np.uint64)}
safetensors.numpy.save_file(too_large, "uint64.safetensors")
refused("uint64.safetensors", "tensor 'u'", "element 1, 18446744073709551615, does not fit a signed 64-bit integer")
safetensors.numpy.save_file({"w": np.array([1, 2], dtype=ml_dtypes.float8_e4m3fn)}, "float8.safetensors")
refused("float8.safetensors", "tensor 'w': dtype F8_E4M3 is not supported")

# --- a folder of shards, as huggingface_hub writes it
shutil.rmtree("sharded", ignore_errors=True)
os.mkdir("sharded")
shards = {"model-00001-of-00002.safetensors": {"a.weight": KINDS["f32"]},
          "model-00002-of-00002.safetensors": {"b.weight": KINDS["int64"], "b.bias": KINDS["f16"]}}
for name, arrays in shards.items():
    safetensors.numpy.save_file(arrays, "sharded/" + name, metadata={"format": "pt"})
index = {"metadata": {"total_size": 0}, "weight_map": {t: s for s, arrays in shards.items() for t in arrays}}
with open("sharded/model.safetensors.index.json", "w") as f:
    json.dump(index, f, indent=2)
holds("sharded", {t: a for arrays in shards.values() for t, a in arrays.items()})

# --- NumPy
fortran = {"two": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
           "three": np.asfortranarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)),
           "no_rows": np.zeros((0, 3), dtype=np.float32, order="F"),
           "one": np.asfortranarray(np.arange(4, dtype=np.float64))}
big = {name: a.astype(a.dtype.newbyteorder(">")) for name, a in KINDS.items() if a.dtype.itemsize > 1}
big |= {"fortran": np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3))}
for name, arrays in {"types": KINDS, "shapes": SHAPES, "fortran": fortran, "big-endian": big}.items():
    np.savez(f"{name}.npz", **arrays)
    holds(f"{name}.npz", arrays)
    np.savez_compressed(f"{name}-deflated.npz", **arrays)
    holds(f"{name}-deflated.npz", arrays)
np.savez("nothing.npz")
holds("nothing.npz", {})
for version in (1, 2, 3):
    with open(f"version{version}.npy", "wb") as f:
        np.lib.format.write_array(f, KINDS["f32"], version=(version, 0))
    holds(f"version{version}.npy", {f"version{version}": KINDS["f32"]})


def zip_of(file, arrays, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(file, "w", method) as z:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asanyarray(array), allow_pickle=True)
            z.writestr(zipfile.ZipInfo(name + ".npy"), buffer.getvalue(), method)


# Python writes zip64 records for what is above this limit, in the directory, too.
limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 64
zip_of("zip64.npz", {"a": KINDS["f32"], "b": KINDS["int64"]})
zip_of("zip64-deflated.npz", {"a": KINDS["f32"], "b": KINDS["int64"]}, zipfile.ZIP_DEFLATED)
zipfile.ZIP64_LIMIT = limit
for file in ("zip64.npz", "zip64-deflated.npz"):
    holds(file, {"a": KINDS["f32"], "b": KINDS["int64"]})
zip_of("bzip2.npz", {"a": KINDS["f32"]}, zipfile.ZIP_BZIP2)
refused("bzip2.npz", "member 'a.npy' is packed with method 12; stored and deflated are supported")
for name, array, kind in [("object", np.array([{"x": 1}], dtype=object), "'|O'"),
                          ("complex", np.array([1j], dtype=np.complex64), "'<c8'"),
                          ("text", np.array(["word"]), "'<U4'"),
                          ("dates", np.array(["2024-01-01"], dtype="M8[D]"), "'<M8[D]'"),
                          ("bfloat16", floats(ml_dtypes.bfloat16), "'<V2'")]:
    zip_of(f"{name}.npz", {"a": array})
    refused(f"{name}.npz", f"a.npy: elements of kind {kind} are not supported")
zip_of("structured.npz", {"a": np.zeros(2, dtype=[("x", "<f4"), ("y", "<i4")])})
refused("structured.npz", "a.npy: ", "elements with fields are not supported")
np.savez("uint64.npz", u=too_large["u"])
refused("uint64.npz", "element 1, 18446744073709551615, does not fit a signed 64-bit integer")

with open("expected.json", "w") as f:
    json.dump(expected, f, indent=1)
    f.write("\n")
