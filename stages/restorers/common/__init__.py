"""What several restorers share, and no restorer by itself.

Models that take one recording after another (``unbatched``), models of the user's own (``user_model``),
workers in environments of their own (``worker``, ``masked_generative``), ONNX graphs whole or step by step
(``onnx_graph``, ``onnx_layouts``, ``onnx_spectra``, ``onnx_steps``), and DeepFilterNet's filters
(``deep_filtering``).
"""
