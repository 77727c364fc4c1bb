# The emulator in a container, with the extras for PostgreSQL and traces: one process, no root, a health check.
FROM python:3.13-slim

RUN useradd --create-home --uid 10001 emulator
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE openapi.yaml ./
COPY contracts ./contracts
COPY emulator ./emulator
RUN python -m pip install --no-cache-dir -c constraints.txt ".[postgres,traces]"

RUN install -d -o emulator /data
USER emulator
VOLUME /data
EXPOSE 8080
ENV GPT_IMAGE_EMULATOR_HOST=0.0.0.0 \
    GPT_IMAGE_EMULATOR_DATABASE=/data/state.db

HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/_emulator/health/ready', timeout=2)"]
CMD ["gpt-image-emulator", "serve"]
