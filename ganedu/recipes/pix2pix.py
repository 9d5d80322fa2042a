"""What works for `pix2pix`, on which data."""

from ganedu.recipes.recipe import SAME_RATES, WIDE_GREY, Recipe

SMOKE = Recipe(16, 1, 0, {"width": 8})
# As in `cyclegan`; the less L1 counts, the less grey is left where edges do not say what lies between them.
SMALL = {**SAME_RATES, "width": 16, "l1_weight": 10.0, "dropout": 0.0}
QUICK = {
    "digits": Recipe(32, 50, 20),
    "mnist": Recipe(32, 50, 2, SMALL),
}
MEASURED = {}

FULL = WIDE_GREY
