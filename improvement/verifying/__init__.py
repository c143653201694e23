"""Verdicts for a file of outputs, without a database: what `manage.py verify` does."""

from improvement.verifying.outputs import Attempt, attempts
from improvement.verifying.tasks import Bench
from improvement.verifying.verdicts import Verdict, verdicts

__all__ = ["Attempt", "Bench", "Verdict", "attempts", "verdicts"]
