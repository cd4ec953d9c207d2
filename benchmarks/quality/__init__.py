"""How good are the checks of the lessons? What they let through, reject, and name.

``python -m benchmarks.quality`` writes docs/quality.md.
"""
