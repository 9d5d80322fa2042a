"""The lessons: list, copy, execute, check; and what a lesson itself imports."""

from ganedu.course.lessons import claim

__all__ = ["claim"]
