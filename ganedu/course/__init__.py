"""The lessons: list, copy, execute, check; and what a lesson itself imports."""

from ganedu.course.claims import claim
from ganedu.course.lessons import data_and_recipe

__all__ = ["claim", "data_and_recipe"]
