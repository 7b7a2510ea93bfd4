"""Every benchmark, one after the other: python -m benchmarks"""

from . import build, read, start, warp

if __name__ == "__main__":
    for benchmark in (start, warp, read, build):
        benchmark.run()
