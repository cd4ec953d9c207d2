"""Receptive Field: a course on convolutional networks and the autograder under it."""
