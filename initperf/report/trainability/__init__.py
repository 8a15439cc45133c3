"""Trainability: maps over weight scale and depth, depths that train, rates that work, advice.

`refinement` places points where a value changes fastest; `map_plan` says which networks these are,
and `maps` trains them. `study` says which rules are compared at which depths, and `measure` trains
each at its best learning rate of a small search. `cells` groups such runs, `limits` and `half_way`
say until which depth they learn, and `advice` ranks the rules for a question from `evidence`, of
which a small table is shipped (`trial_files`).
"""
