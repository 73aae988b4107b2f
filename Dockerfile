FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install -r requirements.lock
COPY oneorder oneorder
COPY execution execution
COPY workers workers
COPY paper_exchange paper_exchange
RUN pip install --no-deps --no-build-isolation '.[postgres]'
RUN useradd --create-home oneorder
USER oneorder
WORKDIR /home/oneorder
CMD ["celery", "-A", "workers", "worker", "-l", "WARNING"]
