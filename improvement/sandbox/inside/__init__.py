"""What runs behind the walls: Python's standard library only.

These files are sent as text to an interpreter inside the sandbox (see `improvement.sandbox.source`)
and are also imported here by the side that reads the answers. Nothing in them may import the rest
of the project.
"""
