# Stage 1 may compile; nothing of it but the finished environment reaches the image.
FROM python:3.11-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY constraints.txt ./
ENV PIP_CONSTRAINT=constraints.txt PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY LICENSE README.md hatch_build.py pyproject.toml ./
COPY matcher ./matcher
COPY service ./service
RUN python -m pip wheel --wheel-dir dist . \
    && python -m venv /opt/peermatch \
    && /opt/peermatch/bin/python -m pip install --no-index --find-links dist peermatch \
    && /opt/peermatch/bin/python -m pip uninstall --yes pip

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/peermatch --shell /usr/sbin/nologin peermatch \
    && install --directory --owner=peermatch --group=peermatch --mode=0700 /var/lib/peermatch
COPY --from=build /opt/peermatch /opt/peermatch
ENV PATH=/opt/peermatch/bin:$PATH \
    PEERMATCH_HOME=/var/lib/peermatch \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
USER 10001
WORKDIR /var/lib/peermatch
VOLUME /var/lib/peermatch
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/__lbheartbeat__', timeout=4)"]
CMD ["peermatch", "serve", "--host", "0.0.0.0", "--port", "8000"]
