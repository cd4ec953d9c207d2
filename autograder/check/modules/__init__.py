"""Checks of what students write with PyTorch: modules, and functions that are given modules.

They look at what a module computes and at the names in its ``state_dict``, never at how it is
made. A module may be a stand-in for one in another process (`autograder.rooms`), so it is only
ever called, loaded and asked for its tensors.
"""
