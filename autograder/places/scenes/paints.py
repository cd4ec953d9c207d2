"""Colours with names."""

from autograder.places.scenes.shapes import Colour

WHITE, CREAM, BLACK = (248, 248, 244), (246, 234, 208), (34, 32, 38)
GREY, STEEL, STONE, SLATE = (150, 152, 156), (182, 188, 196), (168, 158, 146), (92, 98, 110)
RED, BLUE, GREEN, YELLOW = (208, 58, 52), (48, 104, 176), (62, 142, 82), (244, 196, 56)
ORANGE, PURPLE, PINK, TEAL = (236, 126, 48), (130, 84, 160), (236, 148, 168), (42, 146, 150)
BROWN, WOOD, TAN, MAROON = (108, 72, 46), (164, 114, 68), (206, 170, 120), (120, 42, 46)
LEAF, GRASS, PINE = (82, 156, 70), (126, 178, 84), (44, 96, 70)
SKIN, DARK_SKIN, STRAW = (240, 196, 158), (136, 92, 64), (226, 192, 96)
WATER, FOAM, GLASS = (74, 150, 200), (232, 246, 250), (126, 170, 196)
LAMP, FLAME = (255, 226, 130), (255, 170, 50)

BRIGHT: tuple[Colour, ...] = (RED, BLUE, GREEN, YELLOW, ORANGE, PURPLE, PINK, TEAL)
WALLS: tuple[Colour, ...] = (WHITE, CREAM, TAN, (224, 150, 120), (178, 200, 208), (230, 214, 140))
ROOFS: tuple[Colour, ...] = ((176, 74, 56), SLATE, BROWN, (70, 96, 120), MAROON, (86, 120, 92))
ROCKS: tuple[Colour, ...] = ((150, 134, 120), (178, 112, 78), (128, 130, 138), (190, 158, 112))
