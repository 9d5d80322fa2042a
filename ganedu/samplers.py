"""From noise to images, by a network that is asked again and again: NumPy arrays and functions in, arrays out.

Of a flow the network tells the velocity at (x, t), t from 0 to 1: `euler`, `heun`. Of diffusion it tells the noise in
x_t, t from T down to 0, where alpha_bar_t says how much is image: `ddim`, `dpm_solver`.
"""

import itertools

import numpy as np


def shift_timesteps(u, shift):
    """t = u / (u + k (1 - u)) of u in [0, 1], with k the `shift`: 1 changes nothing, more is nearer to 0.

    Reference:
        Esser et al. 2024, "Scaling rectified flow transformers", equation 23, arXiv:2403.03206.
    """
    return u / (u + shift * (1.0 - u))


def timesteps(steps, shift=1.0):
    """0 = t_0 < ... < t_steps = 1, (steps + 1,): even for a shift of 1, more of them early for a greater one."""
    return shift_timesteps(np.arange(steps + 1) / steps, shift)


def euler(velocity, x, steps, shift=1.0):
    """Follows `velocity(x, t)` from t = 0 to 1 over `timesteps`: one evaluation a step."""
    for t, later in itertools.pairwise(timesteps(steps, shift)):
        x = x + (later - t) * velocity(x, t)
    return x


def heun(velocity, x, steps, shift=1.0, final_correction=True):
    """As `euler`, with the mean of the velocities at both ends of a step: two evaluations a step.

    Args:
        final_correction: bool, whether the last step has two as well, which asks for the velocity at t = 1. Defaults
            to `True`.
    """
    times = timesteps(steps, shift)
    for t, later in itertools.pairwise(times):
        h, v = later - t, velocity(x, t)
        if final_correction or later < times[-1]:
            v = (v + velocity(x + h * v, later)) / 2
        x = x + h * v
    return x


def predicted_noise(x, x_0, alpha_bar):
    """epsilon_theta, of x_t and x_theta (N, H, W, C)."""
    return (x - np.sqrt(alpha_bar) * x_0) / np.sqrt(1 - alpha_bar)


def ddim_step(x, epsilon, alpha_bar, alpha_bar_to, sigma=0.0, noise=0.0, clip=True):
    """One step from t to s: NumPy images and predicted noise (N, H, W, C), alpha_bar at both times.

    Args:
        clip: whether x_0 is brought into [-1, 1], and the noise with it. Defaults to `True`.
    """
    x_0 = (x - np.sqrt(1 - alpha_bar) * epsilon) / np.sqrt(alpha_bar)
    if clip:
        x_0 = np.clip(x_0, -1, 1)
        epsilon = predicted_noise(x, x_0, alpha_bar)
    rest = np.sqrt(np.maximum(1 - alpha_bar_to - sigma**2, 0.0))
    return np.sqrt(alpha_bar_to) * x_0 + rest * epsilon + sigma * noise


def ddim(predict_noise, x, alpha_bar, timesteps, rng, eta=0.0):
    """x_T to images.

    Args:
        predict_noise: function of x_t (N, H, W, C) and t, an int, to epsilon_theta.
        x: NumPy array (N, H, W, C).
        alpha_bar: (T + 1,).
        timesteps: int array, from T down to 0.
        rng: `numpy.random.Generator`, of the noise that is added.
        eta: float in [0, 1]: 0 for no noise, 1 for Ho's (equation 16 of Song 2021). Defaults to `0.0`.
    """
    for t, s in itertools.pairwise(timesteps):
        a, a_to = alpha_bar[t], alpha_bar[s]
        sigma = eta * np.sqrt((1 - a_to) / (1 - a) * (1 - a / a_to))
        noise = rng.standard_normal(x.shape) if sigma else 0.0
        x = ddim_step(x, predict_noise(x, t), a, a_to, sigma, noise)
    return x


def dpm_solver(predict_noise, x, alpha_bar, timesteps, rng):
    """As `ddim`, of second order: DPM-Solver++(2M) of Lu 2022. With lambda = log(SNR) / 2 and h its change,

        x_s = sigma_s / sigma_t x_t - sqrt(alpha_bar_s) (exp(-h) - 1) D,   D = x_0 + h / (2 h_before) (x_0 - x_0_before)

    D = x_0 in the first step, and in the last, whose h is infinite."""
    before = None  # x_0 and h of the step before
    for t, s in itertools.pairwise(timesteps):
        a, a_to = alpha_bar[t], alpha_bar[s]
        x_0 = (x - np.sqrt(1 - a) * predict_noise(x, t)) / np.sqrt(a)
        if a_to == 1.0:
            return x_0
        h = 0.5 * (np.log(a_to / (1 - a_to)) - np.log(a / (1 - a)))
        d = x_0 if before is None else x_0 + h / (2 * before[1]) * (x_0 - before[0])
        before = x_0, h
        x = np.sqrt((1 - a_to) / (1 - a)) * x - np.sqrt(a_to) * np.expm1(-h) * d
    return x
