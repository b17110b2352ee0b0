"""A small loopback site of our own that speaks the sites' formats, for demos, tests and benchmarks.

`DemoSite` runs it inside a process; `python -m providers.demo` as a process of its own.
"""

from __future__ import annotations

from providers.demo.site import DemoSite

__all__ = ["DemoSite"]
