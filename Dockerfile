# The shop and its demo bank in one image: which of its processes a container is, its command says.
FROM python:3.13-slim AS packages
COPY requirements/app.lock /requirements/app.lock
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /requirements/app.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /shop --shell /usr/sbin/nologin waybill \
    && install -d -o waybill -g waybill /var/lib/waybill /var/lib/bank
COPY --from=packages /venv /venv
COPY . /shop
WORKDIR /shop
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=config.settings
# Collecting files reads the settings; nothing of this environment stays in the image.
RUN python -m compileall -q . \
    && DATABASE_URL=postgresql://build/build KAFKA_BOOTSTRAP_SERVERS=build BANK_URL=http://build \
       SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
       python manage.py collectstatic --no-input
USER 10001
ENTRYPOINT ["/shop/deploy/compose/entrypoint"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "config.wsgi:application"]
