"""The outer architecture as a table: three bands, their elements by the word of the field, who serves them here. Pure.

In: nothing. Out: `BANDS`, frozen. `known_as` is the product that people know; `built` False is shown grey, by name.
`picture` adds the lamps; nobody else writes an element down a second time.
"""

from dataclasses import dataclass

from madang.web.text import NOTHING, Text, same

LATER = Text("later", "이후 제공")
KEPT = Text("image store", "이미지 저장소")


@dataclass(frozen=True, slots=True)
class Element:
    """`key` names it in the table of lamps, in JSON and in the page. A part is an element inside another."""

    key: str
    name: Text
    known_as: Text = NOTHING
    here: Text = NOTHING
    built: bool = True
    parts: tuple["Element", ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    key: str
    name: Text
    elements: tuple[Element, ...]


def later(key: str, name: Text, known_as: Text = NOTHING, here: Text = LATER) -> Element:
    return Element(key, name, known_as, here, built=False)


INFRASTRUCTURE = Band(
    "infrastructure",
    Text("infrastructure", "인프라"),
    (
        Element(
            "machine",
            Text("machine and cloud", "머신과 클라우드"),
            Text("the machine itself, a cloud", "머신 자체, 클라우드"),
            Text("this machine, as nodes", "이 머신을 노드로 사용"),
            parts=(
                Element("nodes", Text("VM, bare metal", "VM, 베어메탈"), here=Text("nodes", "노드")),
                later("aws", same("AWS")),
                later("google-cloud", same("Google Cloud")),
                later("azure", same("Azure")),
            ),
        ),
        Element(
            "runtimes",
            Text("virtual machine, container", "가상 머신과 컨테이너"),
            Text("hypervisor, Docker", "하이퍼바이저, Docker"),
            Text("runtimes", "런타임"),
            parts=(
                Element(
                    "host", Text("process", "프로세스"), here=Text("programs from their source", "소스에서 바로 실행")
                ),
                Element("container", Text("container", "컨테이너"), same("Docker"), same("runc, crun")),
                later("micro-vm", Text("micro VM", "마이크로 VM"), Text("hypervisor", "하이퍼바이저")),
            ),
        ),
        Element(
            "layers",
            Text("layered image", "레이어 이미지"),
            Text("Docker image", "Docker 이미지"),
            Text("build, image store", "빌드, 이미지 저장소"),
            parts=(
                Element("layer-base", Text("base", "베이스"), here=KEPT),
                Element("layer-system", Text("operating system", "운영체제"), here=KEPT),
                Element("layer-runtime", Text("runtime", "런타임"), here=Text("or an environment", "또는 실행 환경")),
                Element(
                    "layer-application", Text("application", "애플리케이션"), here=Text("or a folder", "또는 폴더")
                ),
            ),
        ),
    ),
)
ORCHESTRATION = (
    Element("placement", Text("placement", "자동 배치"), here=Text("filters and scores", "필터와 점수")),
    Element("recovery", Text("recovery", "장애 복구"), here=Text("pod workers", "파드 워커")),
    Element("scaling", Text("scaling", "확장·축소"), here=Text("deployments", "디플로이먼트")),
    Element("communication", Text("communication", "컨테이너 간 통신"), here=Text("networks", "네트워크")),
    Element("load-balancing", Text("load balancing", "로드 밸런싱"), here=same("HAProxy")),
    Element(
        "bin-packing", Text("automatic bin packing", "자동화된 자원 배정"), here=Text("best fit", "최적 적합 배치")
    ),
    Element("self-healing", Text("self-healing", "셀프 치유"), here=Text("probes, restarts", "프로브, 재시작")),
    Element("horizontal-scaling", Text("horizontal scaling", "수평 확장"), here=Text("autoscaler", "오토스케일러")),
)
PLATFORM = Band(
    "platform",
    Text("platform", "플랫폼"),
    (
        Element(
            "orchestration",
            Text("container orchestration", "컨테이너 오케스트레이션"),
            same("Kubernetes"),
            Text("store, control, placement, node", "저장소, 제어, 배치, 노드"),
            parts=ORCHESTRATION,
        ),
        Element(
            "gateway",
            Text("API gateway", "API 게이트웨이"),
            same("Netflix Zuul"),
            Text("gateway: HAProxy", "게이트웨이: HAProxy"),
        ),
        Element(
            "discovery",
            Text("service discovery", "서비스 탐색"),
            same("Eureka"),
            Text("names: hosts, service addresses", "이름: hosts, 서비스 주소"),
        ),
        Element(
            "monitoring",
            Text("monitoring, circuit breaker", "모니터링, 서킷 브레이커"),
            same("Hystrix"),
            Text("gateway, node", "게이트웨이, 노드"),
            parts=(
                Element("samples", Text("monitoring", "모니터링"), here=Text("one-second samples", "1초 간격 측정")),
                Element(
                    "breaker",
                    Text("circuit breaker", "서킷 브레이커"),
                    here=Text("takes out an instance that refuses", "거부하는 인스턴스를 제외"),
                ),
                later("metrics", Text("metrics, traces", "메트릭, 트레이스")),
            ),
        ),
        Element(
            "logging",
            Text("central logging", "로깅 중앙화"),
            same("ELK"),
            same("madang logs"),
            parts=(
                Element("log-streams", Text("logs of all instances", "모든 인스턴스의 로그"), here=same("madang logs")),
                later("log-search", Text("store and search", "보관과 검색")),
            ),
        ),
        later("message-bus", Text("message bus", "메시지 버스"), same("RabbitMQ, Kafka")),
        later("library-repository", Text("library repository", "라이브러리 저장소"), same("Sonatype Nexus")),
        later("pipeline", Text("DevOps pipeline", "데브옵스 파이프라인"), same("Jenkins, SonarQube")),
        later("collaboration", Text("collaboration", "협업 환경"), same("Jira, Confluence")),
    ),
)
APPLICATION = Band(
    "application",
    Text("application", "애플리케이션"),
    (
        Element(
            "channels",
            Text("channels", "채널"),
            here=Text("published ports, routes", "공개 포트, 라우트"),
            parts=(
                Element("mobile", Text("mobile", "모바일"), here=Text("the same doors", "같은 접속 주소")),
                Element("browser", Text("browser", "브라우저"), here=Text("the same doors", "같은 접속 주소")),
            ),
        ),
        Element(
            "core-services",
            Text("core services", "핵심 서비스"),
            here=Text("your own services", "사용자의 서비스"),
            parts=(
                Element(
                    "front-end",
                    Text("front end", "프런트엔드"),
                    here=Text("reached from outside", "외부에 공개된 서비스"),
                ),
                Element(
                    "back-end", Text("back end", "백엔드"), here=Text("reached by services", "내부에서 호출되는 서비스")
                ),
            ),
        ),
        Element(
            "data",
            Text("data", "데이터"),
            here=Text("your own databases, volumes", "사용자의 데이터베이스, 볼륨"),
            parts=(
                Element("rdb", same("RDB"), here=Text("database servers", "데이터베이스 서버")),
                Element("redis", same("Redis"), here=Text("key-value servers", "키-값 저장소")),
                Element("volumes", Text("volumes", "볼륨"), here=Text("data of services", "서비스의 데이터")),
            ),
        ),
    ),
)
BANDS = (INFRASTRUCTURE, PLATFORM, APPLICATION)
