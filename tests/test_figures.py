"""Pictures as arrays: what is where, and that files are what their names say."""

import io
import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from ganedu import figures

IMAGES = np.linspace(-1, 1, 5 * 4 * 4, dtype="float32").reshape(5, 4, 4, 1)


def test_a_tile_puts_each_image_in_its_place():
    sheet = figures.tile(IMAGES, columns=3)
    assert sheet.shape == (2 * 5 - 1, 3 * 5 - 1, 1)
    as_bytes = np.rint((IMAGES + 1) * 127.5).astype("uint8")
    np.testing.assert_array_equal(sheet[0:4, 5:9], as_bytes[1])
    np.testing.assert_array_equal(sheet[5:9, 0:4], as_bytes[3])
    assert (sheet[5:9, 10:14] == 110).all()  # the empty place
    assert (sheet[4] == 110).all()  # the line between


def test_a_tile_of_colour_keeps_bytes_as_they_are():
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), "uint8")
    np.testing.assert_array_equal(figures.tile(images, padding=0)[:, :4], images[0])


def test_rows_have_a_text_over_each_column_and_red_ones_where_it_is_not_right():
    figure = figures.rows({"a": IMAGES[:3], "b": IMAGES[:3]}, ["one", "two", "three"], [1, 0, 1])
    texts = figure.axes[0].texts
    assert [t.get_text() for t in texts] == ["one", "two", "three"]
    assert [t.get_color() for t in texts] == [figures.INK, figures.COLOURS[1], figures.INK]
    wide = figure.axes[0].images[0].get_array().shape[1]
    assert [t.get_position()[0] for t in texts] == pytest.approx([wide * k / 6 for k in (1, 3, 5)])
    assert not list(figures.rows({"a": IMAGES[:3]}).axes[0].texts)


def test_a_rate_distortion_curve_has_a_line_with_the_price_as_its_slope_at_each_network():
    prices, rate, distortion = np.array([[0.5, 6], [20, 3], [70, 130]])
    axes = figures.rate_distortion({"a": (prices, rate, distortion)}).axes[0]
    curve, *short = (line.get_xydata() for line in axes.lines)
    np.testing.assert_array_equal(curve, [[20, 70], [3, 130]])
    for line, price, place in zip(short, prices, curve, strict=True):
        (run, rise), middle = line[1] - line[0], line.mean(axis=0)
        assert rise / run == pytest.approx(-price)
        np.testing.assert_allclose(middle, place)
    assert [text.get_text() for text in axes.texts] == ["0.5", "6"]


def test_runs_are_compared_log_by_log_from_round_1_on():
    runs = {"long": {"a": [3, 2, 1], "b": [9, 8, 7]}, "short": {"a": [5], "b": [4]}}
    of_a, of_b = figures.compared(runs, ["a", "b"], {"b": (0, 6)}).axes
    for axes, log in ((of_a, "a"), (of_b, "b")):
        assert axes.get_title() == log
        for line, (name, logs) in zip(axes.lines, runs.items(), strict=True):
            assert line.get_label() == name
            assert [*map(tuple, line.get_xydata())] == [*enumerate(logs[log], start=1)]
    assert of_b.get_ylim() == (0, 6)


def test_heaps_of_a_panel_have_one_area_and_the_same_bins():
    heaps = {"few": [0.0, 1.0], "many": np.linspace(1, 4, 50)}
    (axes,) = figures.histograms({"panel": heaps}, "logit", bins=8).axes
    assert axes.get_xlabel() == "logit"
    few, many = ([(b.get_x(), b.get_width(), b.get_height()) for b in c] for c in axes.containers)
    np.testing.assert_allclose([b[:2] for b in few], [b[:2] for b in many])
    for bars in (few, many):
        assert sum(width * height for _, width, height in bars) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(0, 4, 4, 1), (2, 4, 4), (2, 4, 4, 2)])
def test_what_cannot_be_tiled_is_refused(shape):
    with pytest.raises(ValueError, match="must have shape"):
        figures.tile(np.zeros(shape))


@pytest.mark.parametrize(
    "figure",
    [
        lambda: figures.grid(IMAGES, title="t"),
        lambda: figures.side_by_side({"real": IMAGES, "generated": IMAGES}),
        lambda: figures.rows({"lerp": IMAGES, "slerp": IMAGES}),
        lambda: figures.reconstructions(IMAGES, IMAGES),
        lambda: figures.strip(IMAGES),
        lambda: figures.captioned(IMAGES, ["a"] * len(IMAGES)),
        lambda: figures.manifold(np.zeros((3, 3, 4, 4, 1))),
        lambda: figures.curves({"a": [1, 2], "b": [2, 1]}, [["a"], ["b"]]),
        lambda: figures.curves({"a": [1, 2]}, x=np.array([0.1, 0.2])),
        lambda: figures.rate_distortion({"a": np.ones((3, 2)), "b": np.ones((3, 1))}),
        lambda: figures.compared({"r": {"a": [1, 2]}, "s": {"a": [2]}}, ["a"], {"a": (0, 1)}),
        lambda: figures.histograms({"p": {"a": [0, 1]}, "q": {"a": [2, 2]}}, "logit"),
        lambda: figures.attention(IMAGES[0], ["a", "three"], np.ones((2, 2, 2))),
        lambda: figures.similarity(IMAGES, ["a", "b"], {"cosine": np.zeros((2, len(IMAGES)))}),
        lambda: figures.bars({"generated": [1, 2]}, ["0", "1"]),
        lambda: figures.scatter(np.zeros((4, 2)), np.array([0, 1, 1, 0]), ("a", "b")),
        lambda: figures.scatter(np.zeros((4, 3))),
        lambda: figures.plane({"a": {"points": np.zeros((4, 2))}, "b": {"heat": np.eye(5)}}),
    ],
)
def test_every_figure_draws_itself_as_png(figure):
    picture = Image.open(io.BytesIO(figure()._repr_png_()))
    pixels = np.asarray(picture.convert("L"))
    assert min(picture.size) > 40
    assert pixels.std() > 1  # not an empty sheet


def test_figures_leave_pyplot_alone():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    figures.grid(IMAGES)
    assert plt.get_fignums() == before


def test_manifold_has_no_gaps():
    images = np.full((2, 2, 4, 4, 1), -1.0)
    images[1, 0] = 1.0
    sheet = figures.manifold(images).axes[0].images[0].get_array()
    assert sheet.shape == (8, 8)
    assert (sheet[4:, :4] == 255).all()
    assert (sheet[:4] == 0).all()


def test_a_png_is_enlarged_by_a_whole_number():
    file = io.BytesIO()
    figures.save_png(IMAGES[:1], file, min_side=10)
    picture = np.asarray(Image.open(file))
    assert picture.shape == (12, 12)
    np.testing.assert_array_equal(picture[::3, ::3], figures.tile(IMAGES[:1])[..., 0])


def test_a_gif_has_the_frames_and_turns_forever():
    frames = [np.full((8, 8, 1), v, "uint8") for v in (0, 90, 255)]
    file = io.BytesIO()
    figures.save_gif(frames, file, seconds=0.3, hold=1.0, min_side=8)
    gif = Image.open(file)
    assert (gif.n_frames, gif.info["loop"]) == (3, 0)
    durations, shades = [], []
    for i in range(3):
        gif.seek(i)
        durations.append(gif.info["duration"])
        shades.append(np.asarray(gif.convert("L")).mean())
    assert durations == [100, 100, 1100]
    np.testing.assert_allclose(shades, [0, 90, 255], atol=2)


def test_a_gif_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one frame"):
        figures.save_gif([], io.BytesIO())


def test_a_plane_puts_all_in_its_place():
    heat = np.zeros((3, 3))
    heat[0, 2] = 1.0  # lowest row, right
    arrows = np.zeros((3, 3, 2))
    arrows[2, 0] = (0.0, 4.0)  # highest row, left: up
    shown = {
        "heat": heat,
        "arrows": arrows,
        "points": {"p": [[1.0, -1.0]]},
        "paths": [[[0, 0], [1, 2]]],
        "circles": np.array([[0.5, -1.0, 0.25]]),
    }
    (axes,) = figures.plane({"t": shown}, extent=2.0).axes
    (picture,), (quiver, dots) = axes.images, axes.collections
    assert picture.origin == "lower"
    assert picture.get_extent() == [-3, 3, -3, 3]  # cells of side 2, around -2, 0 and 2
    np.testing.assert_array_equal(picture.get_array(), heat)
    np.testing.assert_array_equal(dots.get_offsets(), [[1, -1]])
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[0, 0], [1, 2]])
    (circle,) = axes.patches
    assert [*circle.center, circle.radius] == [0.5, -1.0, 0.25]
    assert axes.get_xlim() == axes.get_ylim() == (-2, 2)
    assert [*quiver.get_offsets()[6], quiver.U[6], quiver.V[6]] == [-2, 2, 0, 4]
    assert quiver.scale == 2  # the longest, 4, is drawn as long as 2


def test_a_table_shows_each_number_in_its_shaded_cell():
    values = [[0.125, 99.999, 123.4], [-1.0, 0.0, -250.0]]
    shades = [[0.0, 0.5, 1.0], [1.0, 0.0, 0.0]]
    figure = figures.table(values, ["one", "two"], ["a", "b", "c"], shades)
    axes = figure.axes[0]
    told = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    assert told[0, 0] == "0.12"
    assert told[2, 0] == "123"
    assert told[2, 1] == "-250"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two"]
    (image,) = axes.get_images()
    np.testing.assert_array_equal(image.get_array(), shades)
    assert figure._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="2x3 cells"):
        figures.table(values, ["one", "two"], ["a", "b", "c"], np.transpose(shades))


def test_a_text_stands_under_its_image_and_is_red_if_it_is_not_right():
    figure = figures.captioned(IMAGES[:3], ["a", "b c", "d"], columns=2, right=[True, False, True])
    panels = figure.axes
    assert [axes.get_xlabel() for axes in panels] == ["a", "b c", "d", ""]
    colours = [axes.xaxis.label.get_color() for axes in panels[:3]]
    assert colours == [figures.INK, figures.COLOURS[1], figures.INK]
    np.testing.assert_array_equal(
        panels[1].images[0].get_array().squeeze(), figures.tile(IMAGES[1:2]).squeeze()
    )
    assert panels[3].axison is False
    with pytest.raises(ValueError, match="Received: 1 for 2 images"):
        figures.captioned(IMAGES[:2], ["a"])


def test_names_under_bars_are_apart_however_long_the_legend_is():
    names = ["kind", "colour", "size", "thickness", "slant", "place", "all"]
    sets = {title: np.ones(7) for title in ("captioner, seen", "captioner, held out", "memory")}
    figure = figures.bars(sets, names, "share right")
    FigureCanvasAgg(figure).draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


def test_curves_have_the_colours_that_are_asked_for():
    lines = figures.curves({"a": [1], "b": [2], "c": [3]}, colours=["red", "blue"]).axes[0].lines
    assert [line.get_color() for line in lines] == ["red", "blue", "red"]


def test_similarity_has_a_row_for_each_text_and_a_column_for_each_image():
    images = np.zeros((3, 4, 4, 3))
    scores = np.array([[0.9, 0.0, -0.8], [0.5, 0.2, 0.1]])
    figure = figures.similarity(images, ["a two", "a three"], {"before": scores, "after": -scores})
    shown = [a.images[0] for a in figure.axes if a.images[0].get_array().shape == (2, 3)]
    np.testing.assert_array_equal([i.get_array() for i in shown], [scores, -scores])
    assert all(i.get_clim() == (-1, 1) for i in shown)
    texts = [t.get_text() for a in figure.axes for t in a.get_yticklabels()]
    assert texts == ["a two", "a three"]


def test_attention_has_a_map_for_each_word_and_the_image_beside():
    maps = np.arange(8.0).reshape(2, 2, 2)
    image = np.full((4, 4, 1), -1.0)
    image[1:3, 1:3] = 1.0
    whole, *words = figures.attention(image, ["a", "three"], maps).axes
    np.testing.assert_array_equal([a.images[0].get_array() for a in words], maps)
    assert [a.get_title() for a in words] == ["a", "three"]
    assert whole.images[0].get_array().shape[:2] == (4, 4)
