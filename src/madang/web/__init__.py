"""The dashboard: the courtyard's picture and its application, live in a browser.

`facts` and `reading` reduce objects to what a person needs to see, `picture`, `application` and `graph` decide what is
shown (pure), `words` says it in English and Korean, `live` keeps open pages up to date, `door` lets people in. Nothing
of it is loaded before somebody opens a page.
"""
