"""Lesson 26: both players' losses where D sees all images through T (Zhao 2020, equations 4 and 5)."""

import numpy as np

from ganedu.course.checking import Check

FUNCTION = "my_losses"
FORBIDDEN = ()


def inputs(rng):
    shape = (6, 2, 3, 1)
    return {
        "real": rng.normal(size=shape) + 0.5,
        "fake": rng.normal(size=shape) - 0.3,
        "w": rng.normal(size=shape[1:]),
    }


SLIPS = "order", "size", "turned", "saturating", "no softplus", "unchanged"
ONE_KIND = "real alone", "generated alone"


def _logits(x, w):
    return np.sum(x * w, axis=(1, 2, 3))


def _augment(x):
    """Each image upside down, half as bright, and lighter by one."""
    return 0.5 * x[:, ::-1] + 1.0


def probe(solution, inputs):
    real, fake, w = inputs["real"], inputs["fake"], inputs["w"]

    others = []  # what was given in the place of images

    def are_images(x):
        if np.shape(x)[1:] != real.shape[1:]:
            others.append(x)
        return np.shape(x)[1:] == real.shape[1:]

    def discriminator(x):
        return _logits(x, w) if are_images(x) else np.zeros(np.shape(x)[:1])

    def augment(x):
        return _augment(x) if are_images(x) else np.asarray(x, float)

    d_plain, g_plain = solution(discriminator, lambda x: x, real, fake)
    d_loss, g_loss = solution(discriminator, augment, real, fake)
    found = {"d plain": d_plain, "g plain": g_plain, "d_loss": d_loss, "g_loss": g_loss}
    return found | {"images": float(len(others))}


def reference(inputs):
    real, fake, w = inputs["real"], inputs["fake"], inputs["w"]
    found = {}
    for names, augment in ((("d plain", "g plain"), lambda x: x), (("d_loss", "g_loss"), _augment)):
        of_real, of_fake = _logits(augment(real), w), _logits(augment(fake), w)
        d = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
        found |= dict(zip(names, (d, np.mean(np.logaddexp(0, -of_fake))), strict=True))
    return found | {"images": 0.0} | dict.fromkeys((*SLIPS, *ONE_KIND), 0.0)


def compared(probed, inputs):
    """Beside the losses themselves, each error that would show in several of them, by its name."""
    probed = {name: np.asarray(loss, float) for name, loss in probed.items()}
    good, names = reference(inputs), ("d plain", "g plain", "d_loss", "g_loss")
    if any(probed[name].shape != () for name in names):
        return probed | dict.fromkeys((*SLIPS, *ONE_KIND), 0.0)
    turned = np.allclose([probed["d plain"], probed["g plain"]], [good["g plain"], good["d plain"]])
    times = probed["d plain"] / good["d plain"], probed["g plain"] / good["g plain"]
    count = len(inputs["real"])
    sized = any(np.isclose(n, wrong) for n in times for wrong in (0.5, 2, count, 1 / count))
    unchanged = np.allclose(probed["d_loss"], good["d plain"])
    of_real, of_fake = (_logits(inputs[name], inputs["w"]) for name in ("real", "fake"))
    flipped = np.mean(np.logaddexp(0, of_real)) + np.mean(np.logaddexp(0, -of_fake))
    believed = np.mean(np.logaddexp(0, of_fake))
    means = np.mean(of_fake) - np.mean(of_real)
    slips = turned, sized, np.allclose(probed["d plain"], flipped)
    slips += np.allclose(probed["g plain"], -believed), np.allclose(probed["d plain"], means)
    real, fake = (_logits(_augment(inputs[name]), inputs["w"]) for name in ("real", "fake"))
    one_kind = (
        np.mean(np.logaddexp(0, -a)) + np.mean(np.logaddexp(0, b))
        for a, b in ((real, of_fake), (of_real, fake))
    )
    found = *slips, unchanged, *(np.allclose(probed["d_loss"], loss) for loss in one_kind)
    return probed | dict(zip((*SLIPS, *ONE_KIND), map(float, found), strict=True))


CHECKS = (
    Check(
        "images",
        "T changes images, before D sees them, and D is asked about images. One of the two was given something else, "
        "such as logits or a loss.",
        points=0,
    ),
    Check(
        "order",
        "D's loss comes first, then G's.",
        points=0,
    ),
    Check(
        "size",
        "A loss is right but for a factor. D's is the sum of two means over images, G's is one mean.",
        points=0,
    ),
    Check(
        "turned",
        "D's signs are turned: its loss is small where it believes generated images and not the real ones.",
        points=0,
    ),
    Check(
        "no softplus",
        "D's loss is a difference of mean logits, as a Wasserstein critic has it (lesson 09). DCGAN's is the softplus.",
        points=0,
    ),
    Check(
        "saturating",
        "G's loss is the mean of log(1 - D), which hardly changes where D is sure. DCGAN's G has the softplus of minus "
        "D's logits: the loss of real images, for generated ones.",
        points=0,
    ),
    Check(
        "d plain",
        "Where T changes nothing, D's loss is lesson 00's: the softplus of minus its logits of real images, and the "
        "softplus of its logits of generated ones, each as a mean over images.",
    ),
    Check(
        "g plain",
        "Where T changes nothing, G's loss is lesson 00's: the softplus of minus D's logits of generated images. It is "
        "small where D believes them.",
    ),
    Check(
        "unchanged",
        "In its own step D sees nothing through T, so that it can learn its few images by heart.",
        points=0,
    ),
    Check(
        "real alone",
        "In its own step D sees the real images through T, and the generated ones as they are. So T tells the two "
        "apart: how must an image of G look then, to be believed?",
        points=0,
    ),
    Check(
        "generated alone",
        "In its own step D sees the generated images through T, and the real ones as they are. So T tells the two "
        "apart, and D can still learn its few real images by heart.",
        points=0,
    ),
    Check(
        "d_loss",
        "Where T changes nothing, both losses are right. Whom does D see through T in its own step, and how often does "
        "each image go through it?",
    ),
    Check(
        "g_loss",
        "D's loss is right. What does D see in G's step, and how often does it go through T?",
    ),
)

RIGHT = {
    "as written": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -of_fake))
""",
    "T of both at once": """
def my_losses(discriminator, augment, real, fake):
    logits = discriminator(augment(np.concatenate([real, fake])))
    of_real, of_fake = logits[: len(real)], logits[len(real) :]
    d_loss = np.log1p(np.exp(-of_real)).mean() + np.log1p(np.exp(of_fake)).mean()
    return d_loss, np.log1p(np.exp(-of_fake)).mean()
""",
    "T once for each question": """
def my_losses(discriminator, augment, real, fake):
    real_loss = np.mean(np.logaddexp(0, -discriminator(augment(real))))
    fake_loss = np.mean(np.logaddexp(0, discriminator(augment(fake))))
    return real_loss + fake_loss, np.mean(np.logaddexp(0, -discriminator(augment(fake))))
""",
}
WRONG = {
    "T of real images alone": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(fake)
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -of_fake))
""",
    "T in D's step alone": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -discriminator(fake)))
""",
    "T of generated images alone": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(real), discriminator(augment(fake))
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -of_fake))
""",
    "T twice in G's step": """
def my_losses(discriminator, augment, real, fake):
    fake = augment(fake)
    of_real, of_fake = discriminator(augment(real)), discriminator(fake)
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -discriminator(augment(fake))))
""",
    "G lessens what D wants": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, of_fake))
""",
    "no T at all": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(real), discriminator(fake)
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -of_fake))
""",
    "swapped": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return np.mean(np.logaddexp(0, -of_fake)), d_loss
""",
    "D's loss halved": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss / 2, np.mean(np.logaddexp(0, -of_fake))
""",
    "T of the logits": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = augment(discriminator(real)), augment(discriminator(fake))
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -of_fake))
""",
    "T of real images and in G's step": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(fake)
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -discriminator(augment(fake))))
""",
    "sums": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    d_loss = np.sum(np.logaddexp(0, -of_real)) + np.sum(np.logaddexp(0, of_fake))
    return d_loss, np.sum(np.logaddexp(0, -of_fake))
""",
    "T in G's step alone": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(real), discriminator(fake)
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, np.mean(np.logaddexp(0, -discriminator(augment(fake))))
""",
    "signs turned": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    d_loss = np.mean(np.logaddexp(0, of_real)) + np.mean(np.logaddexp(0, -of_fake))
    return d_loss, np.mean(np.logaddexp(0, -of_fake))
""",
    "a saturating G": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    d_loss = np.mean(np.logaddexp(0, -of_real)) + np.mean(np.logaddexp(0, of_fake))
    return d_loss, -np.mean(np.logaddexp(0, of_fake))
""",
    "Wasserstein's": """
def my_losses(discriminator, augment, real, fake):
    of_real, of_fake = discriminator(augment(real)), discriminator(augment(fake))
    return np.mean(of_fake) - np.mean(of_real), -np.mean(of_fake)
""",
}
