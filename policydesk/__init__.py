"""Joins the parts: the composition root (`policydesk.app`) and the command line (`policydesk.cli`)."""

__version__ = "0.1.0"
