"""The report of a run: one page of HTML that needs nothing besides itself.

:func:`sageline.report.page.render` makes it of a :class:`sageline.report.data.ReportData`. The plots are SVG of our own:
the small plotting libraries in plain Python (pygal, leather) have colours that do not follow a page into dark mode.
"""
