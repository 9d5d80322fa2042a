"""Scores of images: arrays in, numbers out."""
