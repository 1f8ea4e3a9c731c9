"""What people see: the agents' console. It is handed functions and returns a web application."""

from ui.console import ConsoleParts, make_app, serve_app

__all__ = ["ConsoleParts", "make_app", "serve_app"]
