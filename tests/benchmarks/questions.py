"""The questions that people ask about generated images, each with a before and an after: `docs/questions.md`.

    python tests/benchmarks/questions.py [QUESTION ...] [--seeds 0 1 2]

Everything is trained on the embedded digits, each model for a fixed number of steps, under 60 seconds alone on two
cores. A question's answer changes one thing. For seed 0 its picture is drawn, 36 drawings before on the left and 36
after on the right, into `docs/pictures/questions/`; the numbers of all seeds are kept in `results.json` there, and
the page's blocks are made anew from that. Fails where a number does not move the wished-for way under some seed.
"""

import argparse
import dataclasses
import functools
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from ganedu import runtime

runtime.setup(0)

from ganedu import data, figures, models  # noqa: E402
from ganedu.metrics import features  # noqa: E402
from ganedu.metrics.classes import inception_score  # noqa: E402
from ganedu.metrics.frechet import frechet_distance  # noqa: E402
from ganedu.metrics.manifold import manifold_scores, squared_distances  # noqa: E402
from ganedu.metrics.spectrum import high_frequency_power  # noqa: E402

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures" / "questions"
RESULTS = PICTURES / "results.json"
SHOWN = 36  # drawings before and after, in a picture
GAN_STEPS = 900  # of a GAN, 32 images each
VAE_STEPS, FLOW_STEPS = 600, 400  # 64 images each

DIGITS = data.load("digits")
COUNT = len(DIGITS)  # drawings of a score: as many as real images, 1,493
NETWORK = features.load("digits")
REAL = NETWORK.features(DIGITS.array())

QUESTIONS = {}


@dataclasses.dataclass
class Answer:
    """Images (N, H, W, C) and a number before and after the one change; and what else it changes."""

    before: np.ndarray
    after: np.ndarray
    numbers: tuple
    price: tuple = ()  # as `numbers`, of `Question.price`


@dataclasses.dataclass
class Question:
    """How a question is answered.

    Args:
        answer: function of a seed to an `Answer`.
        number: str, what is measured.
        wish: `"higher"`, `"lower"`, or a float that the number should be nearer to.
        form: str, of a number.
        price: str, what else is measured, if anything.
    """

    answer: object
    number: str
    wish: object
    form: str
    price: str = ""

    def holds(self, before, after):
        if self.wish == "higher":
            return after > before
        if self.wish == "lower":
            return after < before
        return abs(after - self.wish) < abs(before - self.wish)


def question(number, wish, form="{:.2f}", price=""):
    """Puts a function under its name among the questions."""

    def put(answer):
        QUESTIONS[answer.__name__] = Question(answer, number, wish, form, price)
        return answer

    return put


@functools.cache
def trained(name, seed, steps=GAN_STEPS, batch_size=32, flips=False, **arguments):
    """A model after `steps` steps on the digits, or on digits of which every second was mirrored."""
    runtime.setup(seed)
    arguments = {**models.arguments_of(name, DIGITS), **arguments}
    model = models.build(name, DIGITS.image_shape, seed=seed, **arguments)
    augment = data.Augmentation("horizontal_flip") if flips else None
    batches = model.prepare_dataset(DIGITS).batches(batch_size, seed=seed, augment=augment)
    model.fit(batches, steps_per_epoch=steps, epochs=1, verbose=0)
    return model


def distance(images):
    return frechet_distance(REAL, NETWORK.features(images))


def manifold(images):
    return manifold_scores(REAL, NETWORK.features(images))


@question("Fréchet distance", "lower", "{:.1f}")
def quality(seed):
    """A fifth of the training, and all of it."""
    before, after = (
        trained("dcgan", seed, **steps).generate(COUNT, seed=seed)
        for steps in ({"steps": GAN_STEPS // 5}, {})
    )
    return Answer(before, after, (distance(before), distance(after)))


@question("power at high frequencies, of that of real digits", 1.0)
def noise(seed):
    """The trained generator, and its average over the last steps."""
    model = trained("gan", seed, batch_size=64)
    z = model.latents(COUNT, seed=seed)
    before, after = model.generator.predict(z, verbose=0, batch_size=256), model.decode(z)
    return Answer(
        before, after, tuple(high_frequency_power(x, DIGITS.array()) for x in (before, after))
    )


@question("images a second", "higher", "{:.0f}", price="Fréchet distance, of 256 drawings,")
def speed(seed):
    """A hundred small steps, and ten."""
    model = trained("flow_matching", seed, FLOW_STEPS, batch_size=64)
    model.generate(1, steps=1)  # compiles
    images, rates = [], []
    for steps in (100, 10):
        start = time.perf_counter()
        images.append(model.generate(256, steps=steps, seed=seed))
        rates.append(len(images[-1]) / (time.perf_counter() - start))
    return Answer(*images, tuple(rates), tuple(distance(x) for x in images))


@question("precision", "higher", price="recall")
def real(seed):
    """Latents as they are drawn, and pulled towards the middle."""
    model = trained("cvae", seed, VAE_STEPS, batch_size=64)
    z = model.latents(COUNT, seed=seed)
    images = model.decode(z), model.decode(0.6 * z)
    scores = [manifold(x) for x in images]
    return Answer(*images, tuple(s.precision for s in scores), tuple(s.recall for s in scores))


@question("recall", "higher", price="precision")
def varied(seed):
    """Latents near the middle, and as they are drawn; the picture has threes alone."""
    model = trained("cvae", seed, VAE_STEPS, batch_size=64)
    z = model.latents(COUNT, seed=seed)
    shares = 0.4, 1.0
    scores = [manifold(model.decode(np.float32(k) * z)) for k in shares]
    threes = [model.decode(np.float32(k) * z[:SHOWN], 3) for k in shares]
    return Answer(*threes, tuple(s.recall for s in scores), tuple(s.precision for s in scores))


@question("share of sevens", "higher", "{:.0%}")
def theme(seed):
    """A model that draws what it likes, and one that is told."""
    before = trained("dcgan", seed).generate(COUNT, seed=seed)
    after = trained("cgan", seed).generate(COUNT, labels=7, seed=seed)
    shares = [np.mean(NETWORK.probabilities(x).argmax(axis=1) == 7) for x in (before, after)]
    return Answer(before, after, tuple(shares))


@question("inception score, at most 10", "higher", "{:.1f}")
def abstract(seed):
    """A VAE, and one that is told the class."""
    before, after = (
        trained(name, seed, VAE_STEPS, batch_size=64).generate(COUNT, seed=seed)
        for name in ("vae", "cvae")
    )
    scores = [inception_score(NETWORK.probabilities(x)).value for x in (before, after)]
    return Answer(before, after, tuple(scores))


def spacing(found):
    """The median distance of features (N, d) to the nearest other."""
    distances = squared_distances(found, found)
    np.fill_diagonal(distances, np.inf)
    return np.median(np.sqrt(distances.min(axis=1)))


def farthest(found, count):
    """Which `count` of features (N, d) to keep: each the farthest from those already kept."""
    kept = [0]
    nearest = squared_distances(found[:1], found)[0]
    while len(kept) < count:
        kept.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, squared_distances(found[kept[-1:]], found)[0])
    return np.array(kept)


@question("distance to the nearest other drawing, in units of that among 36 real sevens", "higher")
def redundant(seed):
    """The first 36 drawings of a seven, and the 36 of 1,493 that differ most, of those that are surely sevens."""
    images = trained("cgan", seed).generate(COUNT, labels=7, seed=seed)
    images = images[NETWORK.probabilities(images)[:, 7] > 0.9]
    found = NETWORK.features(images)
    kept = farthest(found, SHOWN)
    usual = spacing(REAL[DIGITS.labels == 7][:SHOWN])
    numbers = spacing(found[:SHOWN]) / usual, spacing(found[kept]) / usual
    return Answer(images, images[kept], numbers)


@question("power at high frequencies, of that of real digits", 1.0)
def blurry(seed):
    """A VAE, and a GAN."""
    before = trained("vae", seed, VAE_STEPS, batch_size=64).generate(COUNT, seed=seed)
    after = trained("dcgan", seed).generate(COUNT, seed=seed)
    return Answer(
        before, after, tuple(high_frequency_power(x, DIGITS.array()) for x in (before, after))
    )


@question("precision", "higher")
def unfamiliar(seed):
    """A GAN that was shown mirrored digits, too, and one that was not."""
    before, after = (
        trained("dcgan", seed, **flips).generate(COUNT, seed=seed)
        for flips in ({"flips": True}, {})
    )
    return Answer(before, after, (manifold(before).precision, manifold(after).precision))


@question("recall", "higher")
def repetitive(seed):
    """A discriminator that is too slow, and one ten times as fast."""
    before, after = (
        trained("dcgan", seed, **rate).generate(COUNT, seed=seed)
        for rate in ({"d_learning_rate": 3e-5}, {})  # 3e-4 is what `dcgan` has
    )
    return Answer(before, after, (manifold(before).recall, manifold(after).recall))


def picture(answer, file):
    """36 drawings before, a gap, 36 after."""
    sheets = [figures.tile(x[:SHOWN], 6) for x in (answer.before, answer.after)]
    gap = np.full((len(sheets[0]), 12, 1), 255, "uint8")
    sheet = Image.fromarray(np.concatenate([sheets[0], gap, sheets[1]], axis=1).squeeze(-1))
    sheet = sheet.quantize(16)  # greys: half of the bytes
    sheet = sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST)
    sheet.save(file, format="PNG", optimize=True)


def block(name, found):
    """What the page says of a question: its picture and its numbers under all seeds.

    Args:
        name: str.
        found: dict of a seed to `{"numbers": [before, after], "price": [before, after] or []}`.
    """
    asked = QUESTIONS[name]
    wish = asked.wish if isinstance(asked.wish, str) else f"{asked.wish:g}"
    wish = {"higher": "higher is better", "lower": "lower is better"}.get(wish, f"{wish} is right")
    told = [" to ".join(asked.form.format(v) for v in each["numbers"]) for each in found.values()]
    others = f" Under other seeds: {'; '.join(told[1:])}." if told[1:] else ""
    if asked.price:
        prices = [" to ".join(f"{v:.3g}" for v in each["price"]) for each in found.values()]
        others += f" The {asked.price} goes from {'; '.join(prices)}."
    return (
        f"![left: before, right: after](pictures/questions/{name}.png)\n\n"
        f"**{asked.number[0].upper()}{asked.number[1:]}** ({wish}): **{told[0]}**.{others}"
    )


def write_page(results):
    page = DOCS / "questions.md"
    text = page.read_text()
    for name, found in results.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        if begin not in text or end not in text:
            sys.exit(f"{page} has no place for {name}")
        before, after = text.partition(begin)[0], text.partition(end)[2]
        text = f"{before}{begin}\n\n{block(name, found)}\n\n{end}{after}"
    page.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", nargs="*", choices=[[], *QUESTIONS], metavar="QUESTION")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    failed = []
    for seed in options.seeds:
        for name in options.questions or QUESTIONS:
            asked, start = QUESTIONS[name], time.monotonic()
            answer = asked.answer(seed)
            numbers = [round(float(v), 4) for v in answer.numbers]
            held = asked.holds(*numbers)
            told = " to ".join(asked.form.format(v) for v in numbers)
            seconds = time.monotonic() - start
            print(
                f"{name:12}seed {seed}  {asked.number}: {told}  {held}  {seconds:.0f} s", flush=True
            )
            if not held:
                failed.append((name, seed))
            if seed == 0:
                with open(PICTURES / f"{name}.png", "wb") as file:
                    picture(answer, file)
            price = [round(float(v), 4) for v in answer.price]
            found = {**results.get(name, {}), str(seed): {"numbers": numbers, "price": price}}
            results[name] = dict(sorted(found.items()))
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        trained.cache_clear()
    results = {name: results[name] for name in QUESTIONS if name in results}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    write_page(results)
    if failed:
        sys.exit(f"Not as the page says: {failed}")


if __name__ == "__main__":
    main()
