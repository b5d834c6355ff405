"""Madang: a whole microservice architecture on one machine. The tour through the code: docs/architecture.md."""

__version__ = "0.1.0"
