"""Packages with parts in C have no wheels for the newest interpreters, and tests need no compiler."""

from __future__ import annotations

import sys

import pytest

needs_wheels = pytest.mark.skipif(sys.version_info >= (3, 15), reason="gevent and uvloop have no wheel")
