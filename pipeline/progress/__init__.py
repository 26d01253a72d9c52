"""Progress: how far a run is, how long it will take, how many pairs come of it.

``tally`` counts rows by outcome and holds the failure budget; ``view`` shows it live; ``status`` reads it
from what lies in a workspace. ``forecast`` and ``estimates`` say what is left in time and bytes,
``pair_yield`` in pairs, and ``funnel`` where everything went. Nothing here changes what is made.
"""
