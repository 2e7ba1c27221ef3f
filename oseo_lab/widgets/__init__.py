"""For notebooks: live cards, forms that are the draft they show, maps. Floor 7; knows client and model only.

Each is found by the class of what it shows (entry points ``oseo_lab.widgets``), so that the client need not
know of widgets and works without them.
"""
