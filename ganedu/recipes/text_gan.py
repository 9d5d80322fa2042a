"""What works for `text_gan`, on which data."""

from ganedu.recipes.recipe import WIDE_CAPTIONED, Recipe, of_captions

SMOKE = Recipe(16, 1, 0, {"width": 8, "text_width": 8})
QUICK = of_captions(Recipe(64, 50, 5))  # 200,000 images in all
MEASURED = {}

FULL = WIDE_CAPTIONED
