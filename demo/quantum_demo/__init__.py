"""The whole system on one bare machine: `make up`, and the story that `make demo` tells.

It uses the system as a person does: kubectl, helm and the venue's own HTTP; it imports neither operator nor engine.
"""
