"""The layers of the course, and what is known about each: one module a lesson."""
