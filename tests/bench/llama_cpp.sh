#!/usr/bin/env bash
# usage: llama_cpp.sh CHECKOUT [BUILD]: tokens per second beside llama.cpp's, same shapes and types of weights, one thread.
# CHECKOUT is a source tree of llama.cpp; its library, that alone, is built for this processor in CHECKOUT-build. BUILD is
# this project's build folder (default: build).
set -euo pipefail
checkout=$(realpath "$1")
build=$(realpath "${2:-build}")
theirs=${LLAMA_CPP_BUILD:-$checkout-build}
cmake -S "$checkout" -B "$theirs" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DGGML_OPENMP=OFF \
      -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF > /dev/null
nice -n 10 ninja -C "$theirs" -j2 llama
cmake -B "$build" -DLLAMA_CPP="$checkout" -DLLAMA_CPP_BUILD="$theirs" > /dev/null
nice -n 10 ninja -C "$build" bench-llama-cpp
uptime >&2
exec "$build/bin/bench-llama-cpp"
