"""The process that stands over every container, and the zygote that makes such processes quickly.

This package runs apart from `madang`: `python -I -S` starts the zygote, which forks one monitor a container and one
session an exec. So nothing here imports anything but the standard library and its own modules, and an import more is
memory more in every container. In: a JSON request over a socket (`request.py`). Out: `running.json` and `exit.json`
in the start's folder (`record.py`), and the log in CRI form. A monitor outlives the zygote and `madang`.
"""
