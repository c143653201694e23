# One image for web, workers and reconciler (see compose.yaml).
# Without GPUs: --build-arg PAWL_TORCH_INDEX=https://download.pytorch.org/whl/cpu
FROM python:3.11-slim

ARG PAWL_TORCH_INDEX=""
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PAWL_HOME=/data PAWL_BIND=0.0.0.0

RUN useradd --system --create-home --home-dir /data pawl
WORKDIR /app
COPY pyproject.toml Makefile ./
# the Makefile installs what pyproject.toml names, into .venv
RUN apt-get update && apt-get install -y --no-install-recommends make \
    && make .venv/ready PAWL_TORCH_INDEX="$PAWL_TORCH_INDEX" \
    && apt-get purge -y make && rm -rf /var/lib/apt/lists/*
COPY . .
RUN mkdir -p staticfiles && chown pawl staticfiles
ENV PATH=/app/.venv/bin:$PATH
USER pawl
CMD ["python", "manage.py", "web"]
