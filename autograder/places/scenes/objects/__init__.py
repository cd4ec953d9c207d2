"""The things that make a place what it is: one function a class, each yielding shapes.

Every thing stands on its own sheet (see `shapes`), about 1 high and at most 1 wide. ``dark`` says
whether its lamps are lit. Colours and details differ from one to the next, so that no colour
tells the class.
"""
