"""A run's page: the model, how it was trained, how good it is."""

from ganedu import data
from ganedu.disk import written
from ganedu.explorer import contents, document
from ganedu.explorer.graph import UnknownLayer
from ganedu.explorer.programs import directions_of, program
from ganedu.runs import evaluation
from ganedu.runtime import UsageError, one_line

# Of the page that plays a model, in the order in which each needs those before it.
SCRIPTS = (
    *document.WALKER,
    *("dom", "controls", "nearest", "latent", "steps", "texts", "pictures"),
    *("training", "quality", "page"),
)
DIRECTION_IMAGES = 500


def explain(model, run_info, history, frames, out, *, language="en"):
    """Writes a run as one HTML file, which plays the model itself where the page knows its layers.

    Args:
        model: `GenerativeModel`, the run's.
        run_info: dict, the run's `run.json`.
        history: list of dict of float, a row a round.
        frames: list of paths, the frames of its training.
        out: `pathlib.Path`, the file.
        language: `"en"` or `"zh"`. Defaults to `"en"`.

    Returns:
        What the page lacks, and why: a list of str.

    Raises:
        UsageError: for another language.
    """
    told = document.strings(language)
    page, missing = page_data(model, run_info, history, frames, language)
    page["strings"] = told
    title = f"{run_info['model']}, {run_info['data']}"
    style = (document.FOLDER / "page" / "page.css").read_text(encoding="utf-8")
    text = document.page(title, language, page, SCRIPTS, style)
    with written(out) as file:
        file.write(text.encode())
    return missing


def page_data(model, run_info, history, frames, language="en"):
    """What a page shows, a dict for JSON, and what it lacks, a list of str."""
    missing = []
    dataset, reason = contents.test_images(run_info)
    missing += [f"The data are not here: {reason}"] if reason else []
    page = {
        "name": run_info["model"],
        "data": run_info["data"],
        "summary": contents.summary(run_info["model"]),
        "classes": run_info.get("classes") or [],
        "details": contents.details(run_info, model),
        "curves": contents.curves(history),
        "film": contents.film(frames),
    }
    try:
        page["program"], page["weights"] = program(model)
        page["program"] |= _directions(model, dataset)
    except UnknownLayer as e:
        page["unplayed"] = one_line(e, 300)
        missing.append(f"The model is not played: {page['unplayed']}")
    if dataset is not None:
        page["examples"] = _examples(model, dataset)
        page["quality"] = contents.quality(model, run_info, dataset)
        seconds = page["quality"].get("each", 0.0) * len(dataset)
        page["diagnosis"] = contents.diagnosis(model, run_info, history, seconds, language)
    if "unplayed" in page and dataset is not None:
        made, page["pictures_are"] = _pictures(model, dataset)
        page["pictures"] = contents.packed(made)
    page["missing"] = [reason] if reason else []
    return page, missing


def _directions(model, dataset):
    images = [] if dataset is None else dataset.array()[:DIRECTION_IMAGES]
    return directions_of(model, images)


def _examples(model, dataset):
    """Test images that a model could be given, packed: of a translator its sources; of a model that is told classes
    with theirs."""
    chosen = dataset.spread_n(contents.EXAMPLES)
    if "translate" in model.tasks:
        return contents.packed(model.prepare_dataset(chosen).get_batch(slice(None))[0])
    packed = contents.packed(chosen.images)
    if "generate by class" in model.tasks and chosen.labels is not None:
        packed["labels"] = chosen.labels.tolist()
    return packed


def _pictures(model, dataset):
    """What stands in the place of a model that is not played, images, and what they are: its `"samples"`, or `"tests"`,
    test images, of one that makes none."""
    chosen = dataset.spread_n(64)
    try:
        return evaluation.evaluation_samples(model, chosen)[0], "samples"
    except UsageError:
        return data.to_float(chosen.images), "tests"
