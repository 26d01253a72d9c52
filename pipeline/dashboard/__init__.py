"""Dashboard: the report's views of a workspace, live on this machine, and the blind listening test.

``app`` puts the routes together (``report_routes``, ``listening_routes``), closed to everybody else's pages
(``security``). ``live`` makes views anew when the workspace has changed; it takes no lock and writes
nothing but votes. ``serve`` starts it.
"""
