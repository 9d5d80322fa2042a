"""The sicknesses: by which signs each is known, in what words it is told, and what helps."""

import dataclasses

from ganedu.doctor.signs import SIGNS


@dataclasses.dataclass(frozen=True)
class Sickness:
    """
    Args:
        name: str.
        shown_by: dict, by the name of each sign that it needs, what that is: `"low"`, `"high"` or `"fair"`. The first
            is its number.
        words: str, what it is, as a student understands it.
        remedy: str, what to try.
        follows: tuple of str, sicknesses that bring this one with them.
    """

    name: str
    shown_by: dict
    words: str
    remedy: str
    follows: tuple = ()

    def known(self, signs):
        """Whether all the signs that it needs were measured."""
        return set(self.shown_by) <= set(signs)

    def shown(self, signs):
        return all(SIGNS[name].state(signs[name]) == state for name, state in self.shown_by.items())


# Nothing was learnt after one of these, whatever else the drawings look like.
ROOTS = ("vanishing gradient", "oscillation", "discriminator won", "discriminator lost")

SICKNESSES = (
    Sickness(
        "vanishing gradient",
        {"slope": "low", "told_apart": "high"},
        "G's loss is flat where D is sure, and D is sure: G is told that it is wrong, and not what to change.",
        "Use a loss that stays steep when D wins: the non-saturating one of `gan`, or that of `lsgan` or `wgan_gp`. "
        "Or weaken D: a lower learning rate, label smoothing.",
    ),
    Sickness(
        "oscillation",
        {"swing": "high", "precision": "fair"},
        "The players chase each other in circles: what G learns in one round is undone in the next.",
        "Lower both learning rates and the momentum (Adam's `beta_1=0.5`, not 0.9); average G's weights "
        "(`ema_momentum`); or a loss with a gradient penalty, as in `r3gan`.",
        follows=("vanishing gradient",),
    ),
    Sickness(
        "discriminator won",
        {"told_apart": "high", "precision": "low"},
        "D tells every drawing from every real image, and the drawings are not getting there: a judge who is always "
        "right teaches nothing.",
        "Let G learn faster or D slower: raise `g_learning_rate` or lower `d_learning_rate`. Make D smaller, or "
        "smooth its labels.",
        follows=("vanishing gradient",),
    ),
    Sickness(
        "discriminator lost",
        {"told_apart": "low", "precision": "low"},
        "D takes drawings for more real than real images, though they are far from them: it has stopped learning, "
        "and G draws whatever pleases a bad judge.",
        "Let D learn faster: raise `d_learning_rate`, give it more width, or several steps for each of G "
        "(`critic_steps` in `wgan_gp`).",
    ),
    Sickness(
        "posterior collapse",
        {"active": "low"},
        "The encoder gives most latents the same distribution for every image: the decoder draws without listening.",
        "Lower `beta`, or raise it slowly from 0; give the decoder less width, or the latents fewer dimensions.",
    ),
    Sickness(
        "codebook collapse",
        {"codes": "low"},
        "A handful of words must say everything: almost all of the codebook is never chosen.",
        "Let dead codes take the place of vectors of the batch (`VectorQuantizer(least=0.05)`); start the codes "
        "where the encoder's vectors are; use fewer of them.",
    ),
    Sickness(
        "mode collapse",
        {"recall": "low", "precision": "fair"},
        "The drawings pass for real images, but always for the same few.",
        "Slow G or speed D up; let D see a batch's variety (`minibatch_stddev=True`); a loss that punishes it, as in "
        "`wgan_gp` or `r3gan`; labels, as in `cgan`.",
        follows=(
            *ROOTS,
            "posterior collapse",
            "codebook collapse",
            "memorisation",
            "blur",
        ),
    ),
    Sickness(
        "checkerboard",
        {"checkerboard": "high"},
        "Every second pixel differs from its neighbours: transposed convolutions that overlap unevenly leave a grid.",
        "Choose kernels that the stride divides (4 for a stride of 2), or enlarge first and convolve then.",
        follows=(
            "vanishing gradient",
            "oscillation",
            "discriminator won",
            "discriminator lost",
            "posterior collapse",
            "mode collapse",
        ),
    ),
    Sickness(
        "memorisation",
        {"copied": "high"},
        "Drawings lie nearer to training images than unseen real images do: the model repeats what it has seen.",
        "More images; augmentation (`augment` of the model, so that G learns nothing of it); a smaller network; less "
        "training.",
    ),
    Sickness(
        "saturation",
        {"greys": "low"},
        "The drawings are black and white where real images have tones between.",
        "Look at the images that go in: were they scaled twice, or clipped? Lower G's learning rate.",
        follows=(*ROOTS, "mode collapse"),
    ),
    Sickness(
        "blur",
        {"sharpness": "low"},
        "The fine detail is missing: the mean of all images that it could be is drawn, not one of them.",
        "More latents, or a smaller `beta`; longer training; a loss that is not of pixels alone, as in `vaegan`; or "
        "`flow_matching`.",
        follows=(*ROOTS, "posterior collapse", "codebook collapse"),
    ),
    Sickness(
        "unlike the data",
        {"precision": "low"},
        "Few drawings could pass for real images, and no other sign says why: it has not learnt enough yet.",
        "Train longer; then a wider network, or another recipe (`ganedu.recipes`).",
        follows=(
            *(*ROOTS, "posterior collapse", "codebook collapse", "checkerboard", "memorisation"),
            *("saturation", "blur"),
        ),
    ),
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """
    Args:
        sickness: `Sickness`.
        value: float, of its first sign.
        cause: str, the name of the sickness that it follows from, or `None`.
    """

    sickness: Sickness
    value: float
    cause: str | None = None

    @property
    def name(self):
        return self.sickness.name

    def __str__(self):
        if self.cause is not None:
            return f"{self.name} ({self.number}), which follows from: {self.cause}"
        return (
            f"{self.name} ({self.number})\n  {self.sickness.words}\n  Try: {self.sickness.remedy}"
        )

    @property
    def number(self):
        sign = SIGNS[next(iter(self.sickness.shown_by))]
        return f"{sign.meaning}: {self.value:.2g}; healthy: {sign.healthy}"


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """
    Args:
        signs: dict of float, as `examine` measures them.
        findings: list of `Finding`, causes first.
    """

    signs: dict
    findings: list

    @property
    def names(self):
        """The sicknesses that are not the consequence of another, tuple of str."""
        return tuple(f.name for f in self.findings if f.cause is None)

    @property
    def healthy(self):
        return not self.findings

    def __str__(self):
        if self.findings:
            return "\n".join(str(f) for f in self.findings)
        return f"No sickness was found, of {self.looked_for} that were looked for."

    @property
    def looked_for(self):
        """How many of the sicknesses could be looked for: those whose signs this model has."""
        return sum(s.known(self.signs) for s in SICKNESSES)

    def to_dict(self):
        """For JSON."""
        findings = [{"name": f.name, "value": f.value, "cause": f.cause} for f in self.findings]
        return {"findings": findings, "signs": self.signs}


def diagnose(signs):
    """Names what is wrong.

    Args:
        signs: dict of float, as `examine` measures them; a sickness whose signs are missing is not looked for.

    Returns:
        `Diagnosis`.
    """
    found = [s for s in SICKNESSES if s.known(signs) and s.shown(signs)]
    names = [s.name for s in found]
    findings = [
        Finding(s, signs[next(iter(s.shown_by))], next((n for n in names if n in s.follows), None))
        for s in found
    ]
    return Diagnosis(signs, sorted(findings, key=lambda f: f.cause is not None))
