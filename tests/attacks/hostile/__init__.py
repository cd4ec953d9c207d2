"""Hostile submissions, and what becomes of a batch that holds them."""

from tests.attacks.hostile import answers, interpreter, metadata, others, reading, survival, wire
from tests.attacks.hostile.attack import Attack

ATTACKS: tuple[Attack, ...] = tuple(
    attack
    for kind in (
        metadata.forges,
        interpreter.forges,
        answers.forges,
        reading.reads,
        others.touches,
        survival.breaks,
        wire.talks,
    )
    for attack in kind
)
