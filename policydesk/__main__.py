"""``python -m policydesk``."""

from policydesk.cli import main

if __name__ == "__main__":
    main()
