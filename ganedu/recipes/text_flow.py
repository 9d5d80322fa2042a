"""What works for `text_flow`, on which data."""

from ganedu.recipes.recipe import Recipe, of_captions

SMOKE = Recipe(16, 1, 0, {"width": 8, "text_width": 8, "units": 16})
# A flow needs steps more than images: 200,000 in all.
QUICK = of_captions(Recipe(32, 100, 5, {"decay_steps": 6250, "pretrain_captions": 64_000}))
MEASURED = {}

FULL = of_captions(Recipe(128, 500, 60, {"width": 64, "pretrain_captions": 64_000}))
