"""Step 2, names and load balancing: one service asks another by its name, and all its instances answer in turn.

The question is asked inside an instance of `web`. Figures: how many answers each instance gave, and how long one took.
"""

import re

from madang.cli.refusal import Refusal
from madang.cli.touring.stage import Stage

ASKED = 20
QUESTION = f"""
from collections import Counter; from time import time; from urllib.request import urlopen
from web.peers import address
url = address("catalog") + "/healthz"; begun = time()
who = Counter(urlopen(url).headers["x-instance"] for _ in range({ASKED}))
print(url, f"{{(time() - begun) * 1000 / {ASKED}:.1f}} ms", *who.items(), sep="\\n")
"""
ANSWERED = re.compile(r"\('([\w.-]+)', (\d+)\)")
TOOK = re.compile(r"([\d.]+) ms")


async def show(stage: Stage) -> None:
    await stage.madang("kubectl", "get", "endpointslices", "-l", "kubernetes.io/service-name=catalog")
    said = await stage.madang("exec", "web", "--", "python", "-c", QUESTION, keep=True)
    answers, took = {name: int(count) for name, count in ANSWERED.findall(said)}, TOOK.search(said)
    if sum(answers.values()) != ASKED or took is None:
        raise Refusal(f"of {ASKED} questions {sum(answers.values())} were answered")
    stage.telling.see("balancing.see")
    stage.measured(answers=answers, answer_ms=float(took[1]))
