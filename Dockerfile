# A Dask worker that can do the work of `datakit`: no torch, no compiler, no desktop (docs/cluster.md).
#     docker build -t datakit-worker . && docker run -e DASK_SCHEDULER_ADDRESS=tcp://HOST:8786 datakit-worker
FROM python:3.11-slim
COPY requirements-worker.txt /tmp/
RUN pip install --no-cache-dir --requirement /tmp/requirements-worker.txt
COPY setup.py pyproject.toml README.md LICENSE /tmp/package/
COPY datakit /tmp/package/datakit
COPY model /tmp/package/model
COPY pipelines /tmp/package/pipelines
RUN pip install --no-cache-dir --no-deps /tmp/package && rm -r /tmp/package
RUN useradd --create-home --uid 1000 worker
USER worker
WORKDIR /home/worker
# One task at a time; freed memory is kept for the next photo, as local workers do (docs/decisions.md).
ENV OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MALLOC_TRIM_THRESHOLD_=268435456 MALLOC_MMAP_THRESHOLD_=33554432
CMD ["dask", "worker", "--nthreads", "1", "--no-dashboard"]
