"""The lessons: list, copy, execute, check; and what a lesson itself imports."""

from ganedu.course.lessons import claim, data_and_recipe

__all__ = ["claim", "data_and_recipe"]
