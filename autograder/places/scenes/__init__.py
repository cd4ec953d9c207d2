"""Scenes: drawn places, a stand-in for miniPlaces that needs no download.

Each of 24 classes is defined by one object, a lighthouse or a bathtub, of which mask and box are
known. Landscape or room, hour, weather and what stands by are drawn independently of the class,
or, on request, so that they give it away. The same numbers give the same bytes everywhere.
"""

from autograder.places.scenes.classes import (
    BACKGROUNDS,
    CATEGORIES,
    CLASSES,
    COMPANIONS,
    PLACES,
    PRETRAINING,
    TASK,
    Place,
)
from autograder.places.scenes.dataset import Scenes, dataset, write
from autograder.places.scenes.draw import SIZE, Box, Scene, draw
from autograder.places.scenes.plan import SPLITS, Facts, plan
from autograder.places.scenes.weights import MEAN, STD, pretrained

__all__ = [
    "BACKGROUNDS",
    "CATEGORIES",
    "CLASSES",
    "COMPANIONS",
    "MEAN",
    "PLACES",
    "PRETRAINING",
    "SIZE",
    "SPLITS",
    "STD",
    "TASK",
    "Box",
    "Facts",
    "Place",
    "Scene",
    "Scenes",
    "dataset",
    "draw",
    "plan",
    "pretrained",
    "write",
]
