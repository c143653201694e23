"""How each state is shown: a tone, an icon and a word, never a colour alone."""

from __future__ import annotations

# value -> (tone, icon, word)
BADGES: dict[str, tuple[str, str, str]] = {
    "pass": ("pass", "check", "pass"),
    "fail": ("fail", "cross", "fail"),
    "error": ("attention", "alert", "error"),
    "unverified": ("", "dot", "unverified"),
    "insufficient": ("attention", "question", "insufficient evidence"),
    "missing": ("attention", "question", "missing"),
    "win": ("pass", "check", "win"),
    "loss": ("fail", "cross", "loss"),
    "tie": ("", "equal", "tie"),
    "queued": ("", "clock", "queued"),
    "ready": ("", "clock", "queued"),
    "pending": ("", "dot", "waiting"),
    "running": ("active", "turning", "running"),
    "done": ("pass", "check", "done"),
    "failed": ("fail", "cross", "failed"),
    "quarantined": ("fail", "hold", "quarantined"),
    "cancelled": ("", "stop", "cancelled"),
    "base": ("", "dot", "generation 0"),
    "trained": ("", "dot", "trained"),
    "screened": ("", "dot", "screened"),
    "frozen": ("", "lock", "frozen"),
    "review": ("attention", "eye", "awaiting review"),
    "not_passed": ("fail", "cross", "gate not passed"),
    "approved": ("pass", "check", "approved"),
    "rejected": ("fail", "cross", "rejected"),
    "changes": ("attention", "undo", "changes requested"),
    "approve": ("pass", "check", "approved"),
    "reject": ("fail", "cross", "rejected"),
    "champion": ("pass", "flag", "champion"),
    "sealed": ("", "lock", "sealed"),
    "amber": ("attention", "alert", "amber"),
    "red": ("fail", "alert", "red"),
    "hold": ("fail", "hold", "on hold"),
    "initial": ("", "flag", "first deployment"),
    "promotion": ("pass", "ship", "promotion"),
    "rollback": ("attention", "undo", "rollback"),
    "right": ("pass", "check", "right"),
    "wrong": ("fail", "cross", "wrong"),
    "unsure": ("", "question", "can't tell"),
    "licensed": ("pass", "check", "licensed"),
    "unlicensed": ("fail", "lock", "no licence"),
    "answered": ("", "check", "answered"),
    "turns_exhausted": ("attention", "clock", "out of turns"),
    "environment_error": ("attention", "alert", "environment error"),
}


def badge_of(value: str) -> tuple[str, str, str]:
    """Tone, icon and word; an unknown value is shown as it is, in grey."""
    return BADGES.get(value, ("", "dot", value.replace("_", " ")))
