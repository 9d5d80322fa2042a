"""`ganedu sample`, `ganedu interpolate`, `ganedu caption`, `ganedu edit`, `ganedu invert`."""

from pathlib import Path

import click

from ganedu.cli.common import MAX_IMAGES, check_suffix, load, report_changes


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--count",
    type=click.IntRange(1, MAX_IMAGES),
    help="How many images. [default: 64; of a text 8]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A .png or an .npz (images, uint8).",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--class", "class_name", help="Of this class only, by name or number.")
@click.option("--text", help='Of this text, as "a thick red three above a green one".')
@click.option(
    "--steps", type=click.IntRange(1, 1000), help="Of a model that denoises step by step."
)
@click.option("--sampler", help="The way of these steps: euler, heun; ddim, ddpm, dpm_solver.")
@click.option(
    "--guidance", type=float, help="How far past what no class or text would give; 1: not."
)
@click.option("--temperature", type=float, help="Below 1: less variety.")
def sample(folder, count, out, seed, class_name, text, **options):
    """Sample new images from a trained model; a translator maps test images."""
    check_suffix(out, ".png", ".npz")
    model, run_info = load(folder)
    from ganedu.runs import sampling

    count = count or (64 if text is None else 8)
    asked = {"class_name": class_name, "text": text}
    sampling.sample(model, run_info, out, count=count, seed=seed, **asked, **options)
    click.echo(f"{out}: {count} images")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .png or a .gif.")
@click.option("--method", type=click.Choice(["lerp", "slerp"]), default="slerp", show_default=True)
@click.option(
    "--steps",
    type=click.IntRange(2, 1000),
    default=10,
    show_default=True,
    help="Images of each path.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--class", "class_name", help="Within this class, by name or number.")
def interpolate(folder, out, method, steps, seed, class_name):
    """Interpolate in the latent space of a trained model."""
    check_suffix(out, ".png", ".gif")
    model, run_info = load(folder)
    from ganedu.runs import sampling

    asked = {"method": method, "steps": steps, "class_name": class_name}
    sampling.interpolate(model, run_info, out, seed=seed, **asked)
    click.echo(f"{out}: {method}, {steps} steps a path")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--beams",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="1 for greedy search.",
)
def caption(folder, image, beams):
    """Caption IMAGE, with a captioner."""
    model, _ = load(folder)
    from ganedu.runs import sampling

    text, told = sampling.caption(model, image, beams=beams)
    report_changes(image, told)
    click.echo(text)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("text")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A .png or an .npz.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
def edit(folder, image, text, out, seed):
    """Change IMAGE as TEXT asks, as "make the three blue", with an editor."""
    check_suffix(out, ".png", ".npz")
    model, _ = load(folder)
    from ganedu.runs import sampling

    report_changes(image, sampling.edit(model, image, text, out, seed=seed))
    click.echo(f"{out}: {text}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A .png (the image, and what comes of its latent) or an .npz (latents, images).",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
def invert(folder, image, out, seed):
    """Find the latent from which a trained model generates IMAGE, or what is nearest to it."""
    check_suffix(out, ".png", ".npz")
    model, _ = load(folder)
    from ganedu.runs import sampling

    decibels, told = sampling.invert(model, image, out, seed=seed)
    report_changes(image, told)
    click.echo(f"{out}: {decibels:.1f} dB PSNR")
