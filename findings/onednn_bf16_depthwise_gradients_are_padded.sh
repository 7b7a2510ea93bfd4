#!/usr/bin/env bash
# oneDNN 3.12.0 (as torch 2.13.0 for CPUs has it) on processors with AVX512-BF16: two gradients of depthwise convolutions
# leave the kernels made for them as soon as they are asked for in bf16. That of the input of one that strides goes to the
# general "brgconv_strided", that of the weights of a 5x5 one to the general "jit_bf16"; both fill the one channel of each
# group up to 16. EfficientNet, MobileNetV2 and their like are made of such layers: training them under bf16 autocast is
# slower there than in fp32, though all other layers are faster. (The weights of 5x5 go to a general kernel in fp32, too.)
# Guess before: under bf16 autocast no convolution takes longer than in fp32; a 3x3 with stride 1 keeps to it.
# Output seen on 2026-11-29 (AMD EPYC, two threads; times differ from run to run, kernels do not):
#   kernel 3, stride 1: input jit_dw in fp32, jit_dw in bf16; weights jit_dw in fp32, jit_dw in bf16
#   kernel 3, stride 2: input jit_dw in fp32, brgconv_strided in bf16; weights jit_dw in fp32, jit_dw in bf16
#   kernel 5, stride 1: input jit_dw in fp32, jit_dw in bf16; weights jit in fp32, jit_bf16 in bf16
#   bf16 took 52.2 times as long as fp32 for the input of the 3x3 with stride 2, 4.1 times for the weights of the 5x5
set -euo pipefail
if ! grep -q avx512_bf16 /proc/cpuinfo; then
    echo "this processor has no AVX512-BF16, so nothing can be seen here"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$work/gradients.py" <<'PY'
import sys
import time

import torch

CASES, REPEATS = ((3, 1), (3, 2), (5, 1)), 5
gradient = torch.ops.aten.convolution_backward
for kernel, stride in CASES:
    x = torch.randn(8, 240, 44, 44).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(240, 1, kernel, kernel)
    y = torch.nn.functional.conv2d(x, weight, None, stride, kernel // 2, 1, 240)
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        print(f"case {kernel} {stride} {name}", flush=True)
        given = torch.ones_like(y).to(kind), x.to(kind), weight.to(kind)
        for wanted in ([True, False, False], [False, True, False]):
            times = []
            for _ in range(REPEATS):
                began = time.perf_counter()
                gradient(*given, None, [stride] * 2, [kernel // 2] * 2, [1, 1], False, [0, 0], 240, wanted)
                times.append(time.perf_counter() - began)
            print(f"time {min(times) * 1000:.2f}", flush=True)
PY
ONEDNN_VERBOSE=1 ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 "$work/env/bin/python" "$work/gradients.py" > "$work/log"
"$work/env/bin/python" - "$work/log" <<'PY'
import sys

found, times, case = {}, {}, None
for line in open(sys.argv[1]):
    if line.startswith("case "):
        case = tuple(line.split()[1:])
        times[case] = []
    elif line.startswith("time "):
        times[case].append(float(line.split()[1]))
    elif ",exec,cpu,convolution," in line and ",backward_" in line:
        parts = line.split(",")
        found[case, parts[7]] = parts[6].partition(":")[0]
for kernel, stride in (("3", "1"), ("3", "2"), ("5", "1")):
    said = [f"{what} {found[(kernel, stride, 'fp32'), way]} in fp32, {found[(kernel, stride, 'bf16'), way]} in bf16"
            for what, way in (("input", "backward_data"), ("weights", "backward_weights"))]
    print(f"kernel {kernel}, stride {stride}: {'; '.join(said)}")
slow_input = times["3", "2", "bf16"][0] / times["3", "2", "fp32"][0]
slow_weights = times["5", "1", "bf16"][1] / times["5", "1", "fp32"][1]
print(f"bf16 took {slow_input:.1f} times as long as fp32 for the input of the 3x3 with stride 2, {slow_weights:.1f} times for the weights of the 5x5")
assert found[("3", "1", "bf16"), "backward_data"] == found[("3", "1", "bf16"), "backward_weights"] == "jit_dw"
assert found[("3", "2", "fp32"), "backward_data"] == "jit_dw" and found[("3", "2", "bf16"), "backward_data"] == "brgconv_strided"
assert found[("5", "1", "bf16"), "backward_weights"] == "jit_bf16", found
PY
