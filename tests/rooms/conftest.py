import pytest

from autograder.rooms.house import House
from autograder.rooms.job import Cell, Job, Limits, Place

QUICK = Limits(call_seconds=2, cell_seconds=4, notebook_seconds=60)


@pytest.fixture(scope="session")
def house():
    with House(unsafe=True) as house:
        yield house


@pytest.fixture
def examine(house):
    """Runs a student's cells, then tests."""

    def run(student, *tests, setup="", limits=QUICK, **options):
        cells = [Cell("setup", Place.BOTH, setup)] if setup else []
        students = [student] if isinstance(student, str) else student
        cells += [Cell(f"answer-{i}", Place.STUDENT, code) for i, code in enumerate(students)]
        cells += [Cell(f"test-{i}", Place.EXAMINER, code) for i, code in enumerate(tests)]
        result = house.run(Job(tuple(cells), limits=limits, **options))
        return Examined(result, len(tests))

    return run


class Examined:
    def __init__(self, result, tests):
        self.events = result.events
        self.student = result.outputs[: len(result.outputs) - tests]
        self.tests = result.outputs[len(result.outputs) - tests :]

    @property
    def errors(self):
        """Of each test: '' or 'Error: message'."""
        return [said(outputs) for outputs in self.tests]

    @property
    def printed(self):
        texts = [
            o["text"] for outputs in self.tests for o in outputs if o["output_type"] == "stream"
        ]
        return "".join(texts)


def said(outputs):
    found = [f"{o['ename']}: {o['evalue']}" for o in outputs if o["output_type"] == "error"]
    return found[0] if found else ""
