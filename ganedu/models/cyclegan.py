"""CycleGAN: unpaired image translation with a cycle-consistency loss (Zhu 2017).

G: X -> Y, F: Y -> X, and a PatchGAN discriminator for each kind, with the losses of `lsgan`:

    L_cyc = E_x||F(G(x)) - x||_1 + E_y||G(F(y)) - y||_1                                (equation 2)
    G and F minimize  L_GAN(G, D_Y) + L_GAN(F, D_X) + lambda L_cyc + lambda_id L_id    (equation 3, section 5.2)
    L_id  = E_y||G(y) - y||_1 + E_x||F(x) - x||_1

||.||_1 is the mean over pixels.

Departures:
    The losses of `lsgan` have a factor 1/2 that the paper's G has not, so lambda = 10 weighs as
    20 does there. No history of 50 older samples, no identity term by default, a translator of
    two residual blocks, patches of 18x18 pixels, no learning rate decay. With `spectral_norm` both D are kept
    smooth (Miyato 2018, `sngan.py`), and with `ema_momentum` translations are those of an exponential moving
    average of G's weights.

Reference:
    Zhu, Park, Isola and Efros 2017, "Unpaired image-to-image translation using cycle-consistent
    adversarial networks", arXiv:1703.10593.
"""

import keras
from keras import ops

from ganedu import networks
from ganedu.data import pairs
from ganedu.engine import FusedAdam, Translator, check_images, check_same_shape, functional
from ganedu.models.lsgan import discriminator_loss, generator_loss
from ganedu.models.pix2pix import l1

FAMILY = "translation"


@keras.saving.register_keras_serializable("ganedu")
class CycleGAN(Translator):
    """Two players of two networks each.

    Args:
        G, F: Keras models, sources (B, H, W, C) -> targets (B, H, W, C') and back.
        D_X, D_Y: Keras models, sources and targets -> outputs (B, h, w, 1).
        task: str, one of `ganedu.data.TASKS`. Defaults to `"inverted"`.
        cycle_weight, identity_weight: float, lambda and lambda_id; the latter is 0 where the two
            kinds differ in channels. Default to `10.0` and `5.0`.
        ema_momentum: float in [0, 1) or `None`: how slowly the averaged G, which translates, follows the
            trained one; `None` for no average. Defaults to `None`.
        seed: int in [0, 2**31). Defaults to `0`.

    Raises:
        ValueError: for networks that do not fit together, and an identity term between images that
            differ in channels.
    """

    players = {"g_optimizer": ("G", "F"), "d_optimizer": ("D_X", "D_Y")}
    log_names = ("g_loss", "d_loss", "cycle_loss", "identity_loss")

    def __init__(
        self,
        G,
        F,
        D_X,
        D_Y,
        task="inverted",
        cycle_weight=10.0,
        identity_weight=5.0,
        ema_momentum=None,
        seed=0,
    ):
        super().__init__(task, aligned=False, seed=seed)
        G, F, D_X, D_Y = functional(self.forms, G=G, F=F, D_X=D_X, D_Y=D_Y)
        check_images(G, "G")
        check_images(F, "F")
        targets = {"G's output": G.output_shape, "F's input": F.input_shape}
        sources = {"F's output": F.output_shape, "G's input": G.input_shape}
        check_same_shape(targets | {"D_Y's input": D_Y.input_shape})
        check_same_shape(sources | {"D_X's input": D_X.input_shape})
        if identity_weight and G.input_shape != F.input_shape:
            raise ValueError(
                "The identity term needs sources and targets of one shape; set `identity_weight=0`. "
                f"Received: {G.input_shape[1:]} and {F.input_shape[1:]}"
            )
        self.G, self.F, self.D_X, self.D_Y = G, F, D_X, D_Y
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.ema_momentum = ema_momentum
        self.keep_ema("G")

    @property
    def translation_network(self):
        return self.averaged("G")

    def train_step(self, data):
        x, y = self.unpack(data)
        g = self.minimize(
            lambda: self.g_losses(x, y, training=True), (self.G, self.F), self.g_optimizer
        )
        d = self.minimize(
            lambda: self.d_losses(x, y, training=True), (self.D_X, self.D_Y), self.d_optimizer
        )
        self.update_kept_ema("G")
        return self.log(g | d)

    def test_step(self, data):
        x, y = self.unpack(data)
        return self.log(self.g_losses(x, y, training=False) | self.d_losses(x, y, training=False))

    def g_losses(self, x, y, training):
        fake_y, fake_x = self.G(x, training=training), self.F(y, training=training)
        fooled = generator_loss(self.D_Y(fake_y, training=training))
        fooled = fooled + generator_loss(self.D_X(fake_x, training=training))
        cycle = l1(self.F(fake_y, training=training), x) + l1(self.G(fake_x, training=training), y)
        identity = ops.zeros_like(cycle)
        if self.identity_weight:
            identity = l1(self.G(y, training=training), y) + l1(self.F(x, training=training), x)
        loss = fooled + self.cycle_weight * cycle + self.identity_weight * identity
        return {"g_loss": loss, "cycle_loss": cycle, "identity_loss": identity}

    def d_losses(self, x, y, training):
        fake_y, fake_x = self.G(x, training=training), self.F(y, training=training)
        sides = ((self.D_X, x, fake_x), (self.D_Y, y, fake_y))
        logits = [(D(a, training=training), D(b, training=training)) for D, a, b in sides]
        return {"d_loss": sum(discriminator_loss(real, fake) for real, fake in logits)}

    def call(self, x, training=False):
        return self.translation_network(x, training=training)


def build(
    image_shape,
    task="inverted",
    width=24,
    d_width=32,
    cycle_weight=10.0,
    identity_weight=0.0,
    learning_rate=1e-3,
    d_learning_rate=None,
    beta_1=0.5,
    spectral_norm=False,
    ema_momentum=None,
    seed=0,
):
    """A compiled CycleGAN for a task made of images (H, W, C); Adam for both, D's rate is half of G's unless it is
    given. No identity term: these tasks' targets are far from their sources, and should not be left alone."""
    source, target = pairs.shapes(task, image_shape)
    model = CycleGAN(
        networks.resnet_translator(source, target[-1], width, name="G"),
        networks.resnet_translator(target, source[-1], width, name="F"),
        networks.patch_discriminator(source, d_width, spectral_norm, name="D_X"),
        networks.patch_discriminator(target, d_width, spectral_norm, name="D_Y"),
        task=task,
        cycle_weight=cycle_weight,
        identity_weight=identity_weight,
        ema_momentum=ema_momentum,
        seed=seed,
    )
    d_learning_rate = learning_rate / 2 if d_learning_rate is None else d_learning_rate
    return model.compile_with(FusedAdam, learning_rate, d_learning_rate, beta_1=beta_1)
