"""What everybody shares: records, ports, errors, configuration. Imports nothing of ours."""
