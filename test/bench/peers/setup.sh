#!/bin/sh
# Makes the environment of the benchmark's peers: a Python venv at $KCC_BENCH_VENV (default ~/.cache/kcc/bench-venv) with
# PyTorch, TensorFlow, JAX, Keras 3 and ONNX Runtime, and onnxruntime-node and TensorFlow.js in its folders `node` and `tfjs`. What cannot be had is
# named with the reason, and skipped: the benchmark leaves those peers out. Run again, it adds what is missing.
#
# `setup.sh cuda` is for the benchmark of a GPU: PyTorch and JAX with CUDA's libraries, Keras 3, and nothing else. They replace those
# for CPUs in the same folder; with another $KCC_BENCH_VENV, for the benchmark too, both stay.
set -u
device="${1:-cpu}"
case "$device" in cpu | cuda) ;; *) echo "setup.sh takes nothing or cuda, found $device"; exit 2 ;; esac
venv="${KCC_BENCH_VENV:-$HOME/.cache/kcc/bench-venv}"
python="${PYTHON:-python3}"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || { echo "no venv: $python -m venv $venv failed"; exit 1; }

pip_install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >"$log" 2>&1; }
# works MODULE: can it be imported, and of a GPU's, is it for one?
works() {
  case "$device $1" in
    "cuda torch") code="import torch; assert torch.version.cuda, 'it is PyTorch without CUDA'" ;;
    "cuda jax") code="import jax, importlib.metadata; importlib.metadata.version('jax-cuda13-plugin')" ;;
    *) code="import $1" ;;
  esac
  "$venv/bin/python" -c "$code" >"$log" 2>&1
}
reason() { grep -v '^ *$' "$log" | tail -n 1 | cut -c 1-200; }

# peer MODULE WAY...: tries one way after another (each the arguments of pip) until the module can be imported.
peer() {
  module="$1"
  shift
  if works "$module"; then echo "have     $module"; return; fi
  why="pip found nothing"
  for way in "$@"; do
    # shellcheck disable=SC2086 -- a way is several words
    if pip_install $way && works "$module"; then echo "added    $module ($way)"; return; fi
    why="$(reason)"
  done
  echo "skipped  $module: $why"
}

# Packages of the default index may ask for GPU libraries that are not needed here: then only the package itself is
# installed, without what it asks for, and its pure Python parts by name.
pure="filelock typing_extensions sympy networkx jinja2 fsspec setuptools"
pip_install numpy $pure || echo "numpy: $(reason)"
torch=2.13.0
if [ "$device" = cuda ]; then
  # A PyTorch for CPUs would do for pip, which has to be told to replace it.
  peer torch "--force-reinstall torch==$torch" "--force-reinstall torch==$torch --index-url https://download.pytorch.org/whl/cu130"
  peer jax "jax[cuda13]"
  peer keras "keras"
  echo "peers are in $venv"
  exit 0
fi
peer torch "torch==$torch+cpu" "torch==$torch+cpu --extra-index-url https://download.pytorch.org/whl/cpu" "--no-deps torch"
tensorflow="absl-py astunparse flatbuffers gast google-pasta h5py libclang ml_dtypes opt_einsum packaging protobuf requests six termcolor wrapt grpcio"
peer tensorflow "tensorflow-cpu" "$tensorflow --no-deps tensorflow-cpu"
peer jax "jax" "ml_dtypes opt_einsum scipy --no-deps jax jaxlib"
peer keras "keras" "absl-py rich namex h5py optree ml_dtypes packaging --no-deps keras"
peer onnx "onnx" "protobuf ml_dtypes --no-deps onnx"
peer onnxruntime "onnxruntime" "flatbuffers protobuf packaging --no-deps onnxruntime"


# node_peer FOLDER MODULE ARGUMENT...: installs with npm (the arguments are its) unless the module can be loaded already.
node_peer() {
  folder="$venv/$1"
  module="$2"
  shift 2
  loads() { (cd "$folder" && node -e "require('$module')") >"$log" 2>&1; }
  mkdir -p "$folder"
  if loads; then echo "have     $module"; return 0; fi
  if (cd "$folder" && npm install --loglevel=error --no-save --prefix . "$@") >"$log" 2>&1 && loads; then echo "added    $module"; return 0; fi
  echo "skipped  $module: $(reason)"
  return 1
}

# Its install script would fetch GPU libraries; the CPU's are in the package.
ONNXRUNTIME_NODE_INSTALL=skip node_peer node onnxruntime-node --ignore-scripts onnxruntime-node

# The native backend fetches its library while it is installed; where it can't, WebAssembly does the work.
node_peer tfjs @tensorflow/tfjs-node @tensorflow/tfjs-node ||
  node_peer tfjs @tensorflow/tfjs-backend-wasm --ignore-scripts @tensorflow/tfjs @tensorflow/tfjs-backend-wasm
echo "peers are in $venv"
