"""What several restorers share, and no restorer by itself.

Models of the user's own (``user_model``), workers in environments of their own (``worker``,
``masked_generative``), ONNX graphs whole or step by step (``onnx_graph``, ``onnx_layouts``,
``onnx_spectra``, ``onnx_steps``), neural codecs (``codec_resynthesis``) and DeepFilterNet's filters and
networks (``deep_filtering``, ``deep_filter_graphs``). What a model has to be is said in
``stages.operators.restorer``.
"""
