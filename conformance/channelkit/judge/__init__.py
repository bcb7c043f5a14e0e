"""Runs cases on a subject and judges each of them. Imports `catalogue`, `runtimes` and the rooms below them."""
