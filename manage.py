#!/usr/bin/env python3
"""Pawl's command line: `python manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "improvement.settings")
    # Must be set before torch is imported: threads that spin while they wait starve each other
    # as soon as two processes share the cores (measured: more than ten times slower).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        from improvement.services.trouble import explain

        sentence = explain(error)
        if sentence is None or "--traceback" in sys.argv:
            raise
        sys.exit(sentence)


if __name__ == "__main__":
    main()
