"""Every word that the dashboard says, in English and Korean: one table (`phrases.py` has the page's own). Pure.

In: a key and the values to fill in. Out: a `Text`. Values are shown as they are, in both languages.
"""

from collections.abc import Mapping

from madang.web.phrases import PHRASES
from madang.web.text import Text

REASONS: Mapping[str, Text] = {
    # why a lamp shines as it does
    "not running": Text("the courtyard is not running", "마당이 실행 중이 아닙니다"),
    "not built": Text("not built yet", "아직 제공하지 않습니다"),
    "nodes ready": Text("{ready} of {all} nodes ready", "노드 {all}개 중 {ready}개 준비됨"),
    "nodes ready one": Text("the node is ready", "노드 1개 준비됨"),
    "node away": Text("{name} is not ready", "{name} 노드가 준비되지 않았습니다"),
    "node low": Text("{name}: {low}", "{name}: {low}"),
    "node closed": Text("{name} takes no new pods", "{name} 노드는 새 파드를 받지 않습니다"),
    "pods run": Text("{count} programs run", "프로그램 {count}개 실행 중"),
    "pods run one": Text("1 program runs", "프로그램 1개 실행 중"),
    "images run": Text("images can run here", "여기서 이미지를 실행할 수 있습니다"),
    "no image yet": Text("no image is here yet", "아직 이미지가 없습니다"),
    "image kept": Text("{count} images, {size}", "이미지 {count}개, {size}"),
    "image kept one": Text("1 image, {size}", "이미지 1개, {size}"),
    "layer kept": Text("{size} in {count} images", "이미지 {count}개에 {size}"),
    "layer kept one": Text("{size} in 1 image", "이미지 1개에 {size}"),
    "layer in none": Text("no image here has it", "이 레이어가 있는 이미지 없음"),
    "nothing runs": Text("nothing runs yet", "아직 실행 중인 것이 없습니다"),
    "cannot run": Text("cannot work here: {why}", "여기서는 동작하지 않습니다: {why}"),
    "image missing": Text("{pod}: {why}", "{pod}: {why}"),
    "all placed": Text("all {count} pods have a node", "파드 {count}개가 모두 배치됨"),
    "all placed one": Text("the pod has a node", "파드 1개가 배치됨"),
    "homeless one": Text("1 fits nowhere: {why}", "1개를 배치할 곳이 없음: {why}"),
    "homeless": Text("{count} fit nowhere: {why}", "{count}개를 배치할 곳이 없음: {why}"),
    "waiting one": Text("1 waits to be placed", "1개가 배치를 기다리는 중"),
    "waiting": Text("{count} wait to be placed", "{count}개가 배치를 기다리는 중"),
    "restarts": Text("{count} restarts so far", "지금까지 재시작 {count}회"),
    "restarts one": Text("1 restart so far", "지금까지 재시작 1회"),
    "struggling": Text("{service}: {why}", "{service}: {why}"),
    "as wanted": Text("{ready} of {wanted} ready", "{wanted}개 중 {ready}개 준비됨"),
    "short of": Text("{service}: {ready} of {wanted} ready", "{service}: {wanted}개 중 {ready}개 준비됨"),
    "updating": Text("{service} is being updated", "{service} 업데이트 중"),
    "network": Text("network {network}", "{network} 네트워크"),
    "nobody behind": Text("{service}: nobody answers behind its name", "{service}: 응답할 인스턴스가 없습니다"),
    "balanced": Text("{count} endpoints of {services} services", "서비스 {services}개의 엔드포인트 {count}개"),
    "packed": Text("{cpu} % of CPU, {memory} % of memory given", "CPU {cpu}%, 메모리 {memory}% 배정"),
    "healing": Text("{service} is being healed", "{service} 치유 중"),
    "healed": Text("{count} healed so far", "지금까지 {count}회 치유"),
    "no fault yet": Text("no fault so far", "지금까지 장애 없음"),
    "no scaler": Text("no service asks for it", "요청한 서비스 없음"),
    "scalers": Text("{names}", "{names}"),
    "at most": Text("{service} is at its most, {most}", "{service}: 최대치 {most}개에 도달"),
    "follows": Text("{service}: {now} to {wants}", "{service}: {now}개에서 {wants}개로"),
    "front open": Text("open at {address}", "{address}에서 접속 가능"),
    "front closed": Text("the front door is closed: {why}", "접속 지점이 닫혀 있음: {why}"),
    "gateway silent": Text("HAProxy does not answer", "HAProxy가 응답하지 않습니다"),
    "names known": Text("{count} names", "이름 {count}개"),
    "watched one": Text("1 program watched", "프로그램 1개 관찰 중"),
    "names known one": Text("1 name", "이름 1개"),
    "taken out one": Text("1 takes no requests now", "1개가 요청을 받지 않는 중"),
    "watched": Text("{count} programs watched", "프로그램 {count}개 관찰 중"),
    "all in": Text("all instances take requests", "모든 인스턴스가 요청을 받는 중"),
    "taken out": Text("{count} take no requests now", "{count}개가 요청을 받지 않는 중"),
    "doors open": Text("{names}", "{names}"),
    "no door": Text("nothing is published", "공개된 주소 없음"),
    "none here": Text("none in this application", "이 애플리케이션에는 없음"),
    "kept by": Text("{names}", "{names}"),
}
WORDS: Mapping[str, Text] = {**REASONS, **PHRASES}


def say(key: str, **values: object) -> Text:
    """Raises KeyError for a word that is not in the table. Braces in a value stay what they are. `KEY one` says it of
    one, where a language needs that."""
    one = WORDS.get(f"{key} one") if 1 in (values.get("count"), values.get("all")) else None
    text = one or WORDS[key]
    return Text(text.en.format(**values), text.ko.format(**values))
