"""Every hostile submission gets what it deserves, learns nothing, and harms nobody.

All of them are graded in one batch, between two submissions that are right. To see what each does:
``python -m benchmarks.attacks --list``; and ``--stock`` shows what they do to stock nbgrader.
"""

import pytest

from autograder.rooms.sandbox import Protection, offer
from tests.attacks.hostile import ATTACKS as EVERY_ATTACK
from tests.attacks.hostile.batch import grade
from tests.attacks.hostile.scene import FULL, LAST, VICTIM, build

LIMITS = {
    "call_seconds": 2,
    "cell_seconds": 4,
    "notebook_seconds": 30,
    "memory_mb": 512,
    "disk_mb": 64,
}

ATTACKS = [attack for attack in EVERY_ATTACK if not attack.variation]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(offer().protection is Protection.NONE, reason="rooms need protection"),
]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What became of the batch."""
    scene = build(tmp_path_factory.mktemp("attacks") / "scene", LIMITS)
    return grade(scene, ATTACKS, "autograder", 600)


@pytest.fixture(scope="module")
def findings(outcome):
    return {finding.name: finding for finding in outcome.findings}


def test_the_batch_ends_and_those_who_attacked_nobody_have_all_their_points(outcome):
    assert None not in outcome.statuses
    assert outcome.others == {VICTIM: FULL, LAST: FULL}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gets_what_it_deserves_and_nothing_else(findings, attack):
    found = findings[attack.name]
    if found.got is None:  # then a person has been told, and no honest work was lost
        assert found.said and attack.honest == 0
    else:
        assert (found.got, found.ungraded) == (attack.honest, ())
    assert found.learned == ()
    assert found.touched == ()
    assert found.left == ()
    assert found.live == ()


def test_attacks_are_told_apart():
    assert len({attack.name for attack in EVERY_ATTACK}) == len(EVERY_ATTACK)
    assert all(attack.what.endswith(".") for attack in EVERY_ATTACK)
    assert len(ATTACKS) >= 60
