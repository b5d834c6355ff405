"""Starts the service: listens on HOST and PORT (default: every address, port 8000) until SIGTERM, then finishes
what it has begun."""

import os

import uvicorn

from catalog.api import app

uvicorn.run(
    app,
    host=os.environ.get("HOST", "0.0.0.0"),
    port=int(os.environ.get("PORT", "8000")),
    log_level=os.environ.get("LOG_LEVEL", "info"),
    access_log=False,
    timeout_graceful_shutdown=8,
)
