"""Trainability: maps over weight scale and depth, depths that train, rates that work, advice.

`refinement` places points where a value changes fastest; `maps` trains them over σw² and depth.
`study` trains rules at several depths, each at its best learning rate of a small search; `cells`
groups such runs, `half_way` says until which depth they learn, and `advice` ranks the rules for a
question from `evidence`, of which a small table is shipped.
"""
