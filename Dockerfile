# docstore with every adapter. One image for the API (`serve --no-worker`), workers (`worker`) and
# everything in one (`serve`).
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m venv /opt/docstore \
    && /opt/docstore/bin/pip install -q -c constraints.txt '.[s3,postgresql,redis]' \
    && /opt/docstore/bin/pip uninstall -q -y pip

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 docstore \
    && useradd --system --uid 10001 --gid docstore --home-dir /data --no-create-home docstore \
    && install -d -o docstore -g docstore -m 700 /data
COPY --from=build /opt/docstore /opt/docstore
ENV PATH=/opt/docstore/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    DOCSTORE_DATA_DIR=/data \
    DOCSTORE_HOST=0.0.0.0 \
    DOCSTORE_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Running requests are let to their end: `docker stop` must wait longer than DOCSTORE_DRAIN_TIMEOUT.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from os import environ as e; from urllib.request import urlopen; urlopen(f'http://127.0.0.1:{e.get(\"DOCSTORE_PORT\") or 8000}{e.get(\"DOCSTORE_HTTP_PREFIX\", \"\").rstrip(\"/\")}/health', timeout=4)"]
ENTRYPOINT ["docstore"]
CMD ["serve"]
