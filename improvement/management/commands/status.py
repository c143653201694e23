"""`manage.py status [--json]`: what there is and what is going on. The keys of the JSON are
described in improvement/jobs/overview.py."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from improvement.jobs.overview import overview


class Command(BaseCommand):
    help = "Show agents, champions, candidates, last gates, warnings, holds and running stages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = overview()
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
            return
        for line in _lines(found):
            self.stdout.write(line)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    if not found["agents"]:
        yield "There is no agent yet. Make one: python manage.py demo"
    for agent in found["agents"]:
        yield from _agent(agent)
    for queue in found["queues"]:
        count = queue["workers"]
        yield f"queue {queue['name']:<9} " + (
            "does not answer" if count is None else f"{count} worker{'' if count == 1 else 's'}"
        )


def _agent(agent: dict[str, Any]) -> Iterator[str]:
    champion = agent["champion"]
    since = f"{champion['name']} since {champion['since'][:16]}" if champion else "none"
    yield f"{agent['name']}: champion {since}"
    if agent["hold"]:
        yield f"  ON HOLD since {agent['hold']['since'][:16]}: {agent['hold']['reason']}"
    for candidate in agent["candidates"]:
        yield f"  candidate {candidate['name']:<12} {candidate['state']}"
    for gate in agent["gates"]:
        low, high = gate["interval"]
        yield (
            f"  gate {gate['candidate']}: {gate['answer']}, n {gate['n']}, wins {gate['wins']}, "
            f"losses {gate['losses']}, difference {gate['difference']:+.3f} "
            f"[{low:+.3f}, {high:+.3f}], e-value {gate['e_value']:.3g}"
        )
    for verifier in agent["verifiers"]:
        held = "licensed" if verifier["licensed"] else "NO LICENCE"
        yield f"  verifier {verifier['name']} {verifier['version']}: {held}. {verifier['reason']}"
    for warning in agent["warnings"]:
        yield f"  {warning['level']} warning on {warning['candidate']}: {warning['sentence']}"
    for run in agent["runs"]:
        yield f"  run {run['id']} (cycle {run['cycle']}): {run['state']}"
        yield from (f"    {line}" for line in run["error"].splitlines())
        yield from (_stage(s) for s in run["stages"] if s["state"] in ("ready", "running"))


def _stage(stage: dict[str, Any]) -> str:
    line = f"    {stage['name']:<8} {stage['state']}"
    if stage["total"]:
        line += f" {stage['done']} of {stage['total']} {stage['unit']}"
    if stage["rate"]:
        line += f", {stage['rate']:.3g}/s"
    if stage["seconds_left"]:
        line += f", {stage['seconds_left']:.0f} s left"
    return line
