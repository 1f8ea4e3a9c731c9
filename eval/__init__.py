"""Gold questions and a search function in; measured numbers and the files that record them out.

`gold` reads questions, `home_check` holds them against a base, `measures` scores a run by ir-measures, `retrieval` asks
and scores, `ablation` does so for each stage, `generalisation` on laws never trained on, `page` and `plots` draw the
HTML report, `gate` keeps floors. `bench` times the product beside a plain alternative, `record` writes
``eval/results/*.json``, `report` makes the tables.
`paper` is a printed document, which the `render_` modules write as files: `make_samples` for data_samples, `parity` to
read laws back and compare. `mutate` damages samples and `fuzz` counts how their reading ends.
Nothing here opens a base: the composition root hands over the functions. Import the modules, never `eval`.
"""

__all__: list[str] = []
