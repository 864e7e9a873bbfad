"""What all tests share."""

from __future__ import annotations

import os

# Before anything imports Rasa or NumPy: no telemetry, no thread fights over two cores, no warning that Rasa's
# SQLAlchemy prints by itself.
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
