"""Two rooms: a student's code runs in one process, the test cells that judge it in another.

Neither is a Jupyter kernel, and neither trusts the other: between them go only bytes that
`autograder.rooms.wire` turns into plain values.
"""
