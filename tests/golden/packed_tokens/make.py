#!/usr/bin/env python3
"""Writes packed token files in this folder with TinyLlama's own PackedDatasetBuilder.

    git clone https://github.com/jzhang38/TinyLlama && python make.py TinyLlama/lit_gpt/packed_dataset.py     # numpy and torch

Two files of uint16 (100 ids each; the second ends in separators, 0) of the ids 1 + (7 i + i^2) mod 30 for i < 150, and in wide/ one of
int32 of the ids 1000 i for i < 40. Needed only to change the files: the tests read what is stored here.
"""
import importlib.util
import os
import sys

import numpy as np

module = importlib.util.spec_from_file_location("packed_dataset", sys.argv[1])
packed = importlib.util.module_from_spec(module)
module.loader.exec_module(packed)
os.chdir(os.path.dirname(os.path.abspath(__file__)))

small = packed.PackedDatasetBuilder(".", "train", chunk_size=100, sep_token=0, dtype="auto", vocab_size=31)
i = np.arange(150)
small.add_array((1 + (7 * i + i * i) % 30).astype(small.dtype))
small.write_reminder()
os.makedirs("wide", exist_ok=True)
wide = packed.PackedDatasetBuilder("wide", "train", chunk_size=40, sep_token=0, dtype="auto", vocab_size=100_000)
wide.add_array((1000 * np.arange(40)).astype(wide.dtype))
wide.write_reminder()
