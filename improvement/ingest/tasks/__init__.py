"""Reading files of tasks: one format a file, streamed, every bad line named."""

from improvement.ingest.tasks.read import FORMATS, FormatError, read
from improvement.ingest.tasks.records import Check, Draft, Line, Problem, fingerprint_of

__all__ = [
    "FORMATS",
    "Check",
    "Draft",
    "FormatError",
    "Line",
    "Problem",
    "fingerprint_of",
    "read",
]
