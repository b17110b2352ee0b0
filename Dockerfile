# One image for every part: web, workers, beat, or all of them under `manage.py up`.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.lock /tmp/requirements.lock
RUN /opt/venv/bin/pip install --quiet --require-hashes --no-deps --only-binary :all: \
    -r /tmp/requirements.lock

FROM python:3.12-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data \
    DOWNLOAD_DIR=/library \
    STATIC_ROOT=/app/static
RUN groupadd --gid 1000 tsuzuku \
    && useradd --uid 1000 --gid 1000 --no-create-home --shell /usr/sbin/nologin tsuzuku \
    && mkdir -p /data /library /app/static \
    && chown tsuzuku:tsuzuku /data /library /app/static
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . /app
# The user below cannot write here, so without this every process would compile everything again.
RUN python -m compileall -q /app
USER tsuzuku
# The files are the same for every installation, so a container starts without making them.
RUN DATA_DIR=/tmp/build DOWNLOAD_DIR=/tmp/build python manage.py prepare --static-only \
    && rm -rf /tmp/build
VOLUME ["/data", "/library"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "watchlist_project.probe", "http://127.0.0.1:8000"]
CMD ["python", "manage.py", "up"]
