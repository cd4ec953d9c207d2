"""The leaderboard: prediction files are parsed, scored and ranked by the code students run."""
