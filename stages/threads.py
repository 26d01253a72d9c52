"""One thread per process: two change the bits of matrix products, of WPE and of simulated rooms."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""Read by the libraries when they are loaded, so it must be in the environment before numpy is imported."""
