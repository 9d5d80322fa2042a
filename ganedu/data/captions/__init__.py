"""Pictures of digits and shapes with captions that are true of them: grammar, tokenizer, glyphs, scenes,
instructions."""
