"""`manage.py doctor`: what works on this machine and what does not."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management import BaseCommand

from improvement.doctor import examine

MARKS = {"ok": "ok    ", "note": "note  ", "failed": "FAILED"}
WIDTH = 16


class Command(BaseCommand):
    help = "Say what works on this machine and what does not. Ends with 1 where a part failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in examine():
            findings.append(finding)
            if not options["json"]:
                remedy = f" -> {finding.remedy}" if finding.remedy else ""
                part = finding.part if len(finding.part) <= WIDTH else f"{finding.part}:"
                line = f"{MARKS[finding.state]} {part:<{WIDTH}} {finding.text}{remedy}"
                self.stdout.write(line)
                self.stdout.flush()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        if any(finding.state == "failed" for finding in findings):
            sys.exit(1)
