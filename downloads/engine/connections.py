"""How many connections a direct download should have: one, and more while the total grows."""

from __future__ import annotations

from collections import deque

# Below that a file is there before another connection could help.
_WORTH_SECONDS = 1.5
_STEP_SECONDS = 0.015
_SAMPLE_SECONDS = 0.005
_PAIR = 2  # samples that make a rate
# One, four, sixteen; at once as many as it takes to be done so soon, if each brings as much: a file
# that is throttled should not wait for a slow climb.
_GROWTH = 4
_GOAL_SECONDS = 2.0
_WINDOW_SECONDS = 0.25
_SETTLED_SECONDS = 1.5
# A connection that fills a gigabit line is not held back by its server: others would only cost.
_PLENTY_BPS = 100_000_000
# As long as that, the rate is looked at closely.
_CLIMB_SECONDS = 0.5
# What the total must grow by over a single connection for the others to be worth keeping.
_GAIN = 1.3
# After trouble connections come back one by one, each after so long without any.
_COOL_DOWN_SECONDS = 3.0
_RETURN_SECONDS = 2.0
# A number that the server refused is not tried again for so long.
_REFUSED_SECONDS = 60.0
_ANY = 1_000_000


class ConnectionCount:
    """Decides from the total rate; knows nothing of sockets."""

    def __init__(self) -> None:
        self.target = 1
        self._samples: deque[tuple[float, int]] = deque()
        self._changed_at = 0.0
        self._single_rate = 0.0
        self._no_growth_until = 0.0
        self._is_settled = False
        self._former = 1  # how many there were, or might have become, before they were made fewer
        self._accepted = 0  # how many the server did not refuse, up to the time below
        self._refused_until = 0.0

    def is_climbing(self, now: float) -> bool:
        """Whether every byte that has arrived by now should be in what is observed."""
        return not self._samples or now - self._samples[0][0] < _CLIMB_SECONDS

    def observe(self, now: float, bytes_done: int) -> None:
        """Note how much has arrived by now."""
        samples = self._samples
        if samples and now - samples[-1][0] < _SAMPLE_SECONDS:
            return
        samples.append((now, bytes_done))
        while len(samples) > _PAIR and now - samples[1][0] > _SETTLED_SECONDS:
            samples.popleft()

    def rate(self, now: float, window_seconds: float = _WINDOW_SECONDS) -> float:
        """Bytes a second over the last moments."""
        if len(self._samples) < _PAIR:
            return 0.0
        last = self._samples[-1]
        first = next(s for s in self._samples if now - s[0] <= window_seconds or s is last)
        elapsed = now - first[0]
        return (last[1] - first[1]) / elapsed if elapsed > 0 else 0.0

    def decide(self, now: float, *, answered: int, missing_bytes: int, maximum: int) -> int:
        """The number of connections to have from now on, at least 1."""
        if self.target > maximum:
            self._former = max(self._former, self.target)
            self.target = max(maximum, 1)
        if now < self._no_growth_until or now - self._changed_at < _STEP_SECONDS:
            return self.target
        if self.target > 1 and not self._is_settled:
            self._settle(now)
        if answered < self.target or not self._is_worth_more(now, missing_bytes):
            return self.target
        if self._may_return(now, maximum):
            self.target += 1
            self._changed_at = now
        elif not self._is_settled and self.target < maximum:
            if self.target == 1:
                self._single_rate = self.rate(now)
            self.target = min(self._next_target(now, missing_bytes), maximum)
            self._changed_at = now
        return self.target

    def back_off(self, now: float, working: int, *, is_refusal: bool) -> None:
        """A connection failed: stay with those that work for a while.

        It is a refusal when the server did not let that connection begin; then their number is
        what it disliked, and that number is avoided for longer.
        """
        self._former = max(self._former, self.target if self._is_settled else _ANY)
        self._is_settled = True
        self.target = max(1, working)
        self._changed_at = now
        self._no_growth_until = now + _COOL_DOWN_SECONDS
        if is_refusal:
            self._accepted = self.target
            self._refused_until = now + _REFUSED_SECONDS

    def wait_longer(self, now: float) -> None:
        """Even the last connection failed: others come back only after some time without that."""
        if self._is_settled:
            self._no_growth_until = now + _COOL_DOWN_SECONDS

    def _is_worth_more(self, now: float, missing_bytes: int) -> bool:
        rate = self.rate(now)
        return 0 < rate < _PLENTY_BPS * self.target and missing_bytes / rate > _WORTH_SECONDS

    def _next_target(self, now: float, missing_bytes: int) -> int:
        of_one = self.rate(now) / self.target
        return max(self.target * _GROWTH, round(missing_bytes / (of_one * _GOAL_SECONDS)))

    def _may_return(self, now: float, maximum: int) -> bool:
        if not self._is_settled or now - self._changed_at < _RETURN_SECONDS:
            return False
        most = min(maximum, self._former)
        if now < self._refused_until:
            most = min(most, self._accepted)
        return self.target < most

    def _settle(self, now: float) -> None:
        if now - self._changed_at < _SETTLED_SECONDS:
            return
        self._is_settled = True
        total = self.rate(now, _SETTLED_SECONDS)
        if total < self._single_rate * _GAIN and total / self.target < self._single_rate / 2:
            self.target = 1
            self._changed_at = now
