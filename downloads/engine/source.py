"""Where the bytes of a direct download come from, and how that is found anew when it expires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from downloads.engine.errand import Errand
from downloads.engine.errors import ServerRefused
from providers.streams import Stream


@dataclass(slots=True)
class Source:
    """An address and what to do when it expires."""

    stream: Stream
    refresh: Callable[[], Stream] | None = None
    host_connections: Callable[[str], int] | None = None
    _renewal: Errand[Stream] | None = field(default=None, init=False)

    def renew(self) -> bool:
        """Have the address resolved again, beside the caller; true once that is done.

        To be called again until then. Raises EngineError when it fails.
        """
        if self.refresh is None:
            return True
        if self._renewal is None:
            self._renewal = Errand(self.refresh)
        if not self._renewal.wait():
            return False
        renewal, self._renewal = self._renewal, None
        stream = renewal.result()
        if stream.kind is not self.stream.kind:
            raise ServerRefused("The renewed address leads to another kind of stream.")
        self.stream = stream
        return True
