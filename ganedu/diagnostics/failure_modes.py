"""The failure modes: by which signals each is known, in what words it is told, and what helps."""

import dataclasses

from ganedu.diagnostics.signals import SIGNALS


@dataclasses.dataclass(frozen=True)
class FailureMode:
    """
    Args:
        name: str.
        criteria: dict, by the name of each signal that it needs, what that is: `"low"`, `"high"` or `"fair"`. The first
            is its number.
        description: str, what it is, as a student understands it.
        suggestion: str, what to try.
        consequence_of: tuple of str, failure modes that bring this one with them.
    """

    name: str
    criteria: dict
    description: str
    suggestion: str
    consequence_of: tuple = ()

    def known(self, signals):
        """Whether all the signals that it needs were measured."""
        return set(self.criteria) <= set(signals)

    def shown(self, signals):
        return all(
            SIGNALS[name].state(signals[name]) == state for name, state in self.criteria.items()
        )


# Nothing was learnt after one of these, whatever else the samples look like.
ROOTS = ("vanishing gradient", "oscillation", "discriminator too strong", "discriminator too weak")

FAILURE_MODES = (
    FailureMode(
        "vanishing gradient",
        {"generator_gradient": "low", "discriminator_auc": "high"},
        "G's loss is flat where D is sure, and D is sure: G is told that it is wrong, and not what to change.",
        "Use a loss that stays steep when D wins: the non-saturating one of `gan`, or that of `lsgan` or `wgan_gp`. "
        "Or weaken D: a lower learning rate, label smoothing.",
    ),
    FailureMode(
        "oscillation",
        {"loss_oscillation": "high", "precision": "fair"},
        "The players chase each other in circles: what G learns in one round is undone in the next.",
        "Lower both learning rates and the momentum (Adam's `beta_1=0.5`, not 0.9); average G's weights "
        "(`ema_momentum`); or a loss with a gradient penalty, as in `r3gan`.",
        consequence_of=("vanishing gradient",),
    ),
    FailureMode(
        "discriminator too strong",
        {"discriminator_auc": "high", "precision": "low"},
        "D tells every sample from every real image, and the samples are not getting there: a D that is always "
        "right teaches nothing.",
        "Let G learn faster or D slower: raise `g_learning_rate` or lower `d_learning_rate`. Make D smaller, or "
        "smooth its labels.",
        consequence_of=("vanishing gradient",),
    ),
    FailureMode(
        "discriminator too weak",
        {"discriminator_auc": "low", "precision": "low"},
        "D takes samples for more real than real images, though they are far from them: it has stopped learning, "
        "and G generates whatever pleases a bad discriminator.",
        "Let D learn faster: raise `d_learning_rate`, give it more width, or several steps for each of G "
        "(`critic_steps` in `wgan_gp`).",
    ),
    FailureMode(
        "posterior collapse",
        {"active_units": "low"},
        "The encoder gives most latents the same distribution for every image: the decoder ignores them.",
        "Lower `beta`, or raise it slowly from 0; give the decoder less width, or the latents fewer dimensions.",
    ),
    FailureMode(
        "codebook collapse",
        {"codebook_usage": "low"},
        "A handful of codes must say everything: almost all of the codebook is never chosen.",
        "Let dead codes take the place of vectors of the batch (`VectorQuantizer(dead_threshold=0.05)`); start "
        "the codes where the encoder's vectors are; use fewer of them.",
    ),
    FailureMode(
        "mode collapse",
        {"recall": "low", "precision": "fair"},
        "The samples pass for real images, but always for the same few.",
        "Slow G or speed D up; let D see a batch's variety (`minibatch_stddev=True`); a loss that punishes it, as in "
        "`wgan_gp` or `r3gan`; labels, as in `cgan`.",
        consequence_of=(
            *ROOTS,
            "posterior collapse",
            "codebook collapse",
            "memorisation",
            "blur",
        ),
    ),
    FailureMode(
        "checkerboard",
        {"checkerboard": "high"},
        "Every second pixel differs from its neighbours: transposed convolutions that overlap unevenly leave a grid.",
        "Choose kernels that the stride divides (4 for a stride of 2), or enlarge first and convolve then.",
        consequence_of=(
            "vanishing gradient",
            "oscillation",
            "discriminator too strong",
            "discriminator too weak",
            "posterior collapse",
            "mode collapse",
        ),
    ),
    FailureMode(
        "memorisation",
        {"copy_rate": "high"},
        "Samples lie nearer to training images than unseen real images do: the model repeats what it has seen.",
        "More images; augmentation (`augment` of the model, so that G learns nothing of it); a smaller network; less "
        "training.",
    ),
    FailureMode(
        "saturation",
        {"midtone_ratio": "low"},
        "The samples are black and white where real images have tones between.",
        "Look at the images that go in: were they scaled twice, or clipped? Lower G's learning rate.",
        consequence_of=(*ROOTS, "mode collapse"),
    ),
    FailureMode(
        "blur",
        {"high_frequency_power": "low"},
        "The fine detail is missing: the mean of all images that it could be is generated, not one of them.",
        "More latents, or a smaller `beta`; longer training; a loss that is not of pixels alone, as in `vaegan`; or "
        "`flow_matching`.",
        consequence_of=(*ROOTS, "posterior collapse", "codebook collapse"),
    ),
    FailureMode(
        "underfitting",
        {"precision": "low"},
        "Few samples could pass for real images, and no other signal says why: it has not learnt enough yet.",
        "Train longer; then a wider network, or another recipe (`ganedu.recipes`).",
        consequence_of=(
            *(*ROOTS, "posterior collapse", "codebook collapse", "checkerboard", "memorisation"),
            *("saturation", "blur"),
        ),
    ),
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """
    Args:
        failure_mode: `FailureMode`.
        value: float, of its first signal.
        cause: str, the name of the failure mode that it follows from, or `None`.
    """

    failure_mode: FailureMode
    value: float
    cause: str | None = None

    @property
    def name(self):
        return self.failure_mode.name

    def __str__(self):
        if self.cause is not None:
            return f"{self.name} ({self.number}), which follows from: {self.cause}"
        return f"{self.name} ({self.number})\n  {self.failure_mode.description}\n  Try: {self.failure_mode.suggestion}"

    @property
    def number(self):
        signal = SIGNALS[next(iter(self.failure_mode.criteria))]
        return f"{signal.meaning}: {self.value:.2g}; healthy: {signal.healthy}"


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """
    Args:
        signals: dict of float, as `measure` measures them.
        findings: list of `Finding`, causes first.
    """

    signals: dict
    findings: list

    @property
    def names(self):
        """The failure modes that are not the consequence of another, tuple of str."""
        return tuple(f.name for f in self.findings if f.cause is None)

    @property
    def healthy(self):
        return not self.findings

    def __str__(self):
        if self.findings:
            return "\n".join(str(f) for f in self.findings)
        return f"No failure mode was found, of {self.looked_for} that were looked for."

    @property
    def looked_for(self):
        """How many failure modes could be looked for: those whose signals this model has."""
        return sum(s.known(self.signals) for s in FAILURE_MODES)

    def to_dict(self):
        """For JSON."""
        findings = [{"name": f.name, "value": f.value, "cause": f.cause} for f in self.findings]
        return {"findings": findings, "signals": self.signals}


def diagnose(signals):
    """Names what is wrong.

    Args:
        signals: dict of float, as `measure` measures them; a failure mode whose signals are missing is not looked for.

    Returns:
        `Diagnosis`.
    """
    found = [s for s in FAILURE_MODES if s.known(signals) and s.shown(signals)]
    names = [s.name for s in found]
    findings = [
        Finding(
            s,
            signals[next(iter(s.criteria))],
            next((n for n in names if n in s.consequence_of), None),
        )
        for s in found
    ]
    return Diagnosis(signals, sorted(findings, key=lambda f: f.cause is not None))
