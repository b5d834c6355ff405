"""For all tests: hypothesis without a deadline, since how long an example takes says nothing on a shared machine."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
