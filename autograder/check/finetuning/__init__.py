"""Checks of how a pretrained network is tuned, asked and looked into: the sixth lesson.

Networks are made by the student's own ``pretrained_net`` and then given numbers that are known
here; the same is done with one of ours. They may be stand-ins for networks in another process
(`autograder.rooms`), as may optimizers and schedules, so they are only called and asked for their
tensors.
"""
