"""Who raises must show that he has seen the present state, and must hold the button.

The controller publishes a nonce that changes with every mode but ARMING, which is the same button
held on. The operator's program sends back the one the person decided on, for as long as the
button is held. A replayed recording, a script that blindly retries and a confirmation from before
the last fault all carry another nonce; no confirmation is good for two raises.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_GAP_S = 0.3  # between two confirmations; longer is letting go


@dataclass(frozen=True)
class Confirmation:
    """The newest nonce heard, and since when without a gap. Times on the monotonic clock."""

    nonce: str = ''
    since_s: float = 0.0
    heard_s: float = -1e9

    def hear(self, nonce: str, now_s: float) -> Confirmation:
        """Take up what the operator sends."""
        goes_on = nonce == self.nonce and now_s - self.heard_s <= LONGEST_GAP_S
        return Confirmation(nonce, self.since_s if goes_on else now_s, now_s)

    def held_s(self, nonce: str, now_s: float) -> float | None:
        """For how long this very nonce has been confirmed; None when it is not."""
        if not nonce or nonce != self.nonce or now_s - self.heard_s > LONGEST_GAP_S:
            return None
        return now_s - self.since_s
