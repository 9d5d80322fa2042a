"""What works for `clip`, on which data."""

from ganedu.recipes.recipe import Recipe, of_captions

SMOKE = Recipe(16, 1, 0, {"width": 8, "text_width": 8, "dim": 16})
QUICK = of_captions(Recipe(128, 25, 5))
MEASURED = {}

FULL = of_captions(Recipe(512, 250, 60, {"width": 64}))
