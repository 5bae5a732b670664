"""Where readings come from: one module per source or kind of file; the only place that talks HTTP outward."""
