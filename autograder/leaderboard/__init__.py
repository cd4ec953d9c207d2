"""The leaderboard: prediction files are parsed, scored and ranked by the code students run."""

from autograder.leaderboard.check import Report
from autograder.leaderboard.files import Written, check_files, write
from autograder.leaderboard.manifest import Manifest

__all__ = ["Manifest", "Report", "Written", "check_files", "write"]
