"""What a trace says: pure analysers of `hil.edges.EdgeTrace` and `hil.seams.Waveform`, one idea a module.

Each gives its values with the half width (95 %) within which they lie around the truth. None gives a number for a trace
that has none: it raises ValueError, which says what to do.
"""
