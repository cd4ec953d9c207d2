"""Checks of the sixth lesson: batches of images, a loss, measures, maps, a file for the board."""
