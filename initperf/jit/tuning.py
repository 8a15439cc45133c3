"""Tuning constants: thresholds and sizes chosen by measurement, never by what they compute.

No constant changes a value that is drawn, but for sums in another order where a kernel allows it.
``bench/derive_tuning.py`` measures each again and prints it beside the value here. A constant is
at its optimum as long as the time it gives is within the noise of the best: most optima are flat
over a factor of two.
"""

PREFETCH_BLOCKS = 2
"""Distance, in blocks of 256 words, at which a fill prefetches its output for writing.

1 is too short where memory is slow, 4 is as fast as 2; measured by filling 4096 x 4096 float32.
"""

SERIAL_OPERATIONS = 1e8
"""Operations up to which a fill runs on the calling thread alone, unless helpers wait for work.

A helper that sleeps begins 50 to 400 µs after it is called, the longer its processor was idle, and
a thread does 2e5 operations a µs; measured by normal fills with pauses in between.
"""

SHARE_OPERATIONS = 1e6
"""Operations that repay one more thread where helpers wait for work; measured in a hot loop.

Handing work to a helper that spins takes 1 µs and Python's part 2 µs, and no fill of fewer than
twice as many operations has helpers.
"""

SPIN_SECONDS = 5e-5
"""Seconds for which a helper waits for another fill before it sleeps.

About as long as it takes to wake, so that waiting costs at most twice the better of the two.
"""

FILL_PIECE_LEAST = 1 << 13
"""Least number of values that a thread takes at a time where helpers wait for work."""

FILL_PIECE = 1 << 16
"""Values that a thread of a fill takes at a time; measured by filling 4096 x 4096 float32."""

FILL_BUFFER = 1 << 16
"""Values that are drawn contiguously before they are copied into an array of another layout.

Measured by filling a 4096 x 4096 float32 array in Fortran order.
"""

NARROW_BLOCK = 1 << 17
"""Float32 values that are drawn before they are rounded to 16 bits.

As many as the second-level cache holds, and enough that a block takes far longer than a thread's
turn at the interpreter lock; measured by drawing 4096 x 4096 bfloat16.
"""

UNBLOCKED_ENTRIES = 20_000
"""Entries up to which Householder reflectors are applied one at a time, by compiled loops.

Above, panels of them are applied as matrix products; measured by drawing square float32 matrices.
"""

SLAB_COLUMNS = 128
"""Least number of columns that a thread multiplies reflectors into."""

OPERATIONS_A_THREAD = 1e8
"""Operations of a product of reflectors that repay one more thread; measured on square matrices."""

FACTOR_STRIP = 32
"""Reflectors that are found one at a time within a panel of a factorisation."""

UPDATE_SLAB = 256
"""Columns that a thread updates at a time in a factorisation."""

FACTOR_PANEL_LEAST, FACTOR_PANEL_MOST = 32, 128
"""Least and largest number of reflectors of a panel of a factorisation; between them n / 8."""

HAAR_PANEL_LEAST, HAAR_PANEL_MOST = 32, 192
"""Least and largest number of reflectors of a panel of a Haar draw, which needs no updates."""

TRIANGLE_STRIP = 96
"""Rows of a panel's triangle that are multiplied at a time, without the zeros beside them.

A multiple of 24, and a divisor of the largest panels of a Haar draw; see `_compact_wy`.
"""

SMALL_PRODUCT_COLUMNS, SMALL_PRODUCT_BYTES = 64, 48 * 48 * 8
"""Columns, and bytes of the right factor, up to which products skip BLAS; see `small_product`.

Measured as the widths at which a product in registers takes as long as one by BLAS.
"""

SWEEP_CHUNK = 2048
"""Values of an array that several statistics are computed of before the next are loaded.

16 KiB of float64, half of a first-level cache; see the kernels `activate` and `update`.
"""

SWEEP_ROWS = 16
"""Least number of rows of a batch that are swept at a time."""

SUM_CHUNK = 1024
"""Values whose squares are summed in the array's own precision; see the kernel `squared_norm`."""

HISTOGRAM_TALLIES = 4
"""Counts of each bin of a histogram that are added up at the end.

A count that was just stored takes about 4 cycles to load again, and as many values are counted in
that time; measured by counting 784 x 512 float32.
"""

PRODUCT_SUMS = 8
"""Vectors of sums of a tile of a product: they hide 4 cycles of latency in 2 units."""

FMA_CHAINS = 12
"""Independent chains of fused multiply-adds that measure a core's peak.

10 hide a latency of 5 cycles in 2 units; 12 and their operands fit 16 registers.
"""
