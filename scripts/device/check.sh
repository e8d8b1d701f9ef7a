#!/bin/bash
# check.sh: tries aiforge's CUDA flavour on a machine that has a GPU and Python's torch, and neither Node nor a network. It lies
# beside node.tar.xz and aiforge.tar.xz, as pack.mjs leaves it there.
#   MODE=auto (default)  takes the packed addon when it was built for this torch and loads, else builds one here
#   MODE=build           builds one here
#   STAGES               which of: tests reference bench (default: all)
#   TESTS                other test files for the stage `tests`, as autograd/hooks
# Everything is printed and written to $OUT/check.log, times also to $OUT/bench.json. Every stage has a limit of its own, and all
# of them together stay below LIMIT seconds (default 500). The status is that of the tests.
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
OUT=${OUT:-$PWD/device-check}
WORK=${WORK:-$(mktemp -d)}
PYTHON=$(command -v "${PYTHON:-python3}")
LIMIT=${LIMIT:-500}
STAGES=${STAGES:-tests reference bench}
TESTS=${TESTS:-cuda/operators cuda/autograd cuda/memory cuda/streams cuda/distributed cuda/processes cuda/unavailable amp/autocast}
FAILED=0
SECONDS=0
mkdir -p "$OUT" "$WORK"
exec > >(tee "$OUT/check.log") 2>&1

# stage NAME LIMIT COMMAND…
stage() {
  local name=$1 limit=$2 left=$((LIMIT - SECONDS)) start=$SECONDS status
  shift 2
  [ "$left" -lt 5 ] && echo "== $name: left out, the time is over" && return 1
  [ "$limit" -gt "$left" ] && limit=$left
  timeout -k 5 "$limit" "$@"
  status=$?
  echo "== $name: status $status, $((SECONDS - start)) s"
  return $status
}

for archive in node aiforge; do
  # Python's tarfile knows xz where the command is missing.
  "$PYTHON" -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="data")' \
    "$HERE/$archive.tar.xz" "$WORK" || exit 1
done
NODE=$WORK/node
ROOT=$WORK/aiforge
ADDON=$ROOT/build/cmake/Release/aiforge.node
read -r TORCH VERSION < <("$PYTHON" -c 'import torch; print(torch.__path__[0], torch.__version__)')
FLAVOUR=cpu
[ -e "$TORCH/lib/libtorch_cuda.so" ] && FLAVOUR=cuda
echo "Node $("$NODE" --version), torch $VERSION, $(nproc) cores, $(date -u +%F)"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
# The packed addon's own run path names the LibTorch of the machine that built it: this one comes first.
export LD_LIBRARY_PATH=$TORCH/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export AIFORGE_REFERENCE_PYTHON=$PYTHON PYTHONDONTWRITEBYTECODE=1
cd "$ROOT" || exit 1

loads() { "$NODE" -e 'console.time("require"); require("./dist/lib/index.js"); console.timeEnd("require")'; }

build() {
  local generator=()
  command -v ninja > /dev/null && generator=(-G Ninja)
  stage configure 60 cmake -S . -B "$WORK/build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DAIFORGE_FLAVOUR=$FLAVOUR \
    -DAIFORGE_LIBTORCH="$TORCH" "-DAIFORGE_HEADERS=$ROOT/node_modules/node-api-headers/include;$ROOT/node_modules/node-addon-api" &&
    stage build 300 cmake --build "$WORK/build" --parallel "$(nproc)" &&
    install -D "$WORK/build/Release/aiforge.node" "$ADDON"
}

BUILT_FOR=$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' build/cmake/libtorch.json 2> /dev/null)
if [ "${MODE:-auto}" = build ] || [ "${VERSION%%+*}" != "$BUILT_FOR" ] || ! loads; then
  build || exit 1
  loads || exit 1
fi

tests() {
  stage "$1" "$2" "$NODE" node_modules/mocha/bin/mocha.js --no-config --require ./build/test/support/oneThread.mjs \
    --timeout 60000 "build/test/$1.test.mjs" || FAILED=1
}
case " $STAGES " in *" tests "*)
  for name in $TESTS; do tests "$name" 100; done
esac
case " $STAGES " in *" reference "*)
  tests cuda/python 200
  tests cuda/capturable 100
esac
case " $STAGES " in *" bench "*)
  stage bench $((LIMIT - SECONDS)) "$NODE" scripts/device/bench.mjs "$PYTHON" "$OUT/bench.json" $((LIMIT - SECONDS - 20))
esac
echo "== $SECONDS s in all"
exit $FAILED
