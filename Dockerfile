# Untried where this was written: no container engine was at hand. Build: docker build -t surefoot .
FROM python:3.13-slim AS build
WORKDIR /build
COPY . .
RUN pip wheel --no-cache-dir --no-deps -w /wheels .

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /var/lib/surefoot surefoot
COPY constraints.txt /tmp/constraints.txt
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir -c /tmp/constraints.txt "$(ls /wheels/*.whl)[postgres]" && rm -rf /wheels /tmp/constraints.txt
USER surefoot
WORKDIR /var/lib/surefoot
VOLUME /var/lib/surefoot
EXPOSE 8080
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
# Listening on every address needs a key: docker exec NAME surefoot key create --tenant NAME --config /etc/surefoot/surefoot.toml
CMD ["surefoot", "serve", "--config", "/etc/surefoot/surefoot.toml", "--host", "0.0.0.0"]
