"""The name under which sites and video hosts meet us; plain Python."""

from __future__ import annotations

# Many sites answer only what begins like a browser's name; what follows says who asks.
USER_AGENT = "Mozilla/5.0 (compatible; Tsuzuku/0.1)"
