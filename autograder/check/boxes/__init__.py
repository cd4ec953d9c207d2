"""Checks of the seventh lesson: boxes, windows, two heads and their loss.

They take functions from tensors to tensors, and look at what comes back.
"""
