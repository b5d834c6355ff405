"""The tour in Korean. `{name}` stands for what is filled in, where no particle depends on it; `[...]` is markup."""

WORDS = {
    "frame.word": "현업 용어",
    "frame.product": "대표 제품",
    "frame.here": "Madang에서",
    "frame.measured": "지금 여기서 잰 값",
    "frame.hello": "마이크로서비스 시스템을 일곱 단계로 둘러봅니다. 단계마다 현업에서 쓰는 용어와 명령, 그 "
    "명령으로 눈앞에서 일어나는 일, 그 자리에서 잰 값을 보여 드립니다.",
    "frame.own": "쇼핑몰 예제는 투어 전용 마당 [bold]{name}[/]에서 실행하고, 투어가 끝나면 흔적 없이 정리합니다.",
    "frame.chosen": "마당 [bold]{name}[/]의 쇼핑몰을 둘러봅니다. 바꾼 것은 모두 원래대로 되돌립니다.",
    "frame.follow": "다른 터미널에서 명령을 직접 실행해 보려면 먼저 다음을 입력합니다.",
    "frame.bringing": "이 단계에 쓸 쇼핑몰을 시작하는 중입니다 ...",
    "frame.next": "Enter: 다음 {number}/{of} {title}    Ctrl-C: 그만두기",
    "frame.last": "Enter: 투어를 마치고 정리",
    "frame.back": "정리하는 중입니다 ...",
    "frame.done": "투어를 마쳤습니다. 모든 것을 원래대로 되돌렸습니다.",
    "frame.cut": "투어를 중단했습니다. 모든 것을 원래대로 되돌렸습니다.",
    "frame.broken": "되돌리지 못한 것이 있습니다. 다음 명령으로 정리할 수 있습니다.",
    "frame.further": "더 자세한 내용은 docs/outer-architecture.ko.md에 있습니다. 직접 만든 서비스는 "
    "compose.yaml이 있는 폴더에서 [bold]madang up[/]으로 시작합니다.",
    "start.title": "시작: 파일 하나로 서비스 다섯 개를 띄웁니다",
    "start.word": "컨테이너 오케스트레이션 (container orchestration)",
    "start.product": "Kubernetes, Docker Compose",
    "start.here": "app, control, placement, node",
    "start.what": "평범한 compose.yaml을 쿠버네티스 오브젝트로 바꾸어 저장합니다. 나머지는 컨트롤러가 맡습니다. "
    "컨트롤러는 원하는 상태와 현재 상태를 끊임없이 비교하면서 인스턴스마다 노드를 정하고(자동 배치) 주소를 "
    "부여하고 프로그램을 실행합니다. 시작 순서는 depends_on을 따릅니다.",
    "start.see": "서비스는 자신의 헬스 체크를 통과해야 준비(ready) 상태가 됩니다. 브라우저에서 [bold]{page}[/] "
    "페이지를 열어 보십시오. 맨 아랫줄에 응답한 인스턴스의 이름이 나옵니다. 대시보드를 열어 두면 단계마다 "
    "일어나는 일을 실시간으로 볼 수 있습니다: [bold]madang dashboard --open[/]",
    "start.figure.ready_s": "명령부터 전체 준비까지",
    "start.figure.page_ms": "페이지 응답 시간",
    "start.figure.instances": "인스턴스 수",
    "balancing.title": "이름과 로드 밸런싱",
    "balancing.word": "서비스 탐색 (service discovery), 로드 밸런싱 (load balancing)",
    "balancing.product": "Eureka, Kubernetes Service, HAProxy",
    "balancing.here": "node (이름), gateway",
    "balancing.what": "서비스는 서로를 주소가 아니라 이름으로 찾습니다. web이 아는 것은 catalog라는 "
    "이름뿐입니다. 이름은 Service의 고정 주소로 이어지고, 이 주소로 온 요청은 지금 준비된 인스턴스 중 하나로 "
    "전달됩니다. web 인스턴스 안에서 catalog에 스무 번 요청해 보겠습니다.",
    "balancing.see": "EndpointSlice가 바로 살아 있는 인스턴스의 목록이며, 요청은 이 인스턴스들에 고르게 "
    "분산됩니다. 인스턴스가 늘거나 줄어도 호출하는 쪽은 바꿀 것이 없습니다.",
    "balancing.figure.answers": "인스턴스별 응답 수",
    "balancing.figure.answer_ms": "응답 하나에 걸린 시간 (프로그램의 처리 시간 포함)",
    "healing.title": "셀프 치유",
    "healing.word": "셀프 치유 (self-healing), 장애 복구 (recovery)",
    "healing.product": "Kubernetes (kubelet, ReplicaSet)",
    "healing.here": "node, control, gateway",
    "healing.what": "초당 20번씩 페이지를 요청하는 동안 catalog 인스턴스 하나를 SIGKILL로 죽입니다. 게이트웨이는 "
    "죽은 인스턴스를 대상에서 빼고, 연결에 실패한 요청은 다른 인스턴스로 보냅니다. 노드는 프로그램을 다시 "
    "시작하고, 헬스 체크를 통과하면 다시 요청을 받게 합니다.",
    "healing.wait": "{steady}초 이상 준비 상태였던 인스턴스는 곧바로 재시작하지만, 그보다 짧으면 잠시 간격을 "
    "둡니다. {seconds}초 기다리겠습니다.",
    "healing.see": "아무도 손대지 않았는데 인스턴스가 되살아났고 RESTARTS가 1 늘었습니다. 응답이 없거나, "
    "오류이거나, 페이지의 일부가 빠진 요청을 모두 실패로 셉니다. 클라이언트는 재시도하지 않으므로, 보내는 도중에 "
    "프로그램이 죽어 끊긴 응답도 실패입니다.",
    "healing.figure.healed_s": "죽은 순간부터 다시 준비되기까지",
    "healing.figure.requests": "그동안의 요청 수",
    "healing.figure.failed": "실패",
    "healing.figure.slowest_ms": "가장 느린 응답",
    "healing.figure.faults": "실패 내역",
    "scaling.title": "수평 확장",
    "scaling.word": "수평 확장 (horizontal scaling)",
    "scaling.product": "Kubernetes (Deployment, HorizontalPodAutoscaler)",
    "scaling.here": "control, placement, gateway",
    "scaling.what": "더 큰 서버로 옮기는 대신(수직 확장) 같은 인스턴스를 여러 개 실행합니다. 먼저 페이지를 "
    "요청하는 동안 cart를 수동으로 두 개 늘렸다가 되돌립니다.",
    "scaling.load": "이번에는 명령 없이 늘려 봅니다. catalog에 초당 {rate}번씩 일을 시키면 오토스케일러가 "
    "인스턴스의 CPU 사용률을 보고 판단합니다.",
    "scaling.see": "인스턴스는 저마다 주소가 있고, 준비되는 즉시 요청을 나누어 받습니다. 오토스케일러는 부하가 "
    "줄어도 5분이 지난 뒤에야 인스턴스를 줄이므로, 투어가 원래 수로 되돌려 놓았습니다.",
    "scaling.figure.scaled_s": "수동: 명령부터 두 개가 더 준비되기까지",
    "scaling.figure.requests": "그동안의 요청 수",
    "scaling.figure.failed": "실패",
    "scaling.figure.slowest_ms": "가장 느린 응답",
    "scaling.figure.faults": "실패 내역",
    "scaling.figure.autoscaled_s": "자동: 부하 시작부터 하나가 더 준비되기까지",
    "rolling.title": "롤링 업데이트",
    "rolling.word": "롤링 업데이트 (rolling update), 무중단 배포",
    "rolling.product": "Kubernetes (Deployment, ReplicaSet)",
    "rolling.here": "control, gateway",
    "rolling.what": "web의 설정 하나를 바꿉니다. 새 리비전의 인스턴스가 준비된 다음에야 이전 인스턴스를 하나 "
    "내립니다. 내릴 인스턴스는 먼저 게이트웨이의 분산 대상에서 빼고, 그다음에 종료 신호를 보냅니다. 페이지 "
    "요청은 그동안에도 계속됩니다.",
    "rolling.see": "리비전마다 ReplicaSet이 하나씩 있습니다. 이전 ReplicaSet이 인스턴스 0개인 채로 남아 있기 "
    "때문에 명령 하나로 롤백할 수 있습니다.",
    "rolling.figure.updated_s": "업데이트",
    "rolling.figure.undone_s": "이전 리비전으로 롤백",
    "rolling.figure.requests": "그동안의 요청 수",
    "rolling.figure.failed": "실패",
    "rolling.figure.slowest_ms": "가장 느린 응답",
    "rolling.figure.faults": "실패 내역",
    "packing.title": "자동화된 자원 배정",
    "packing.word": "자동화된 자원 배정 (automatic bin packing), 자동 배치 (placement)",
    "packing.product": "Kubernetes (kube-scheduler)",
    "packing.here": "placement",
    "packing.what": "이 컴퓨터를 노드 세 개로 나눈 마당을 하나 더 시작합니다. 스케줄러는 파드가 요청한(requests) "
    "CPU와 메모리를 보고 들어갈 수 없는 노드를 제외한 뒤, 남은 노드 중 가장 꽉 차게 되는 노드에 배치합니다.",
    "packing.boxes": "상자 여섯 개를 차례로 넣습니다. 크기는 노드 CPU에 대한 비율입니다: {sizes}.",
    "packing.full": "노드별 배정률: {full}. 상자 f는 들어갈 노드가 없어 대기하며, 그 이유는 이벤트에 나옵니다.",
    "packing.see": "e가 빠져 자리가 나자 대기하던 f가 배정되었습니다. 이 마당은 이미 정리했습니다.",
    "packing.figure.nodes": "노드별 CPU 배정률(%), e가 빠지기 전",
    "packing.figure.placed_ms": "첫 상자부터 마지막 상자의 배정까지",
    "packing.figure.freed_ms": "자리가 난 뒤 f가 배정되기까지",
    "outliving.title": "컨트롤 플레인이 죽어도 서비스는 계속됩니다",
    "outliving.word": "컨트롤 플레인과 데이터 플레인 (control plane, data plane)",
    "outliving.product": "Kubernetes (API server, controller manager, scheduler)",
    "outliving.here": "courtyard, node (모니터), gateway",
    "outliving.what": "지금까지의 일은 모두 컨트롤 플레인이라는 프로세스 하나가 했습니다. 이제 이 프로세스를 "
    "kill -9로 죽입니다. 요청이 지나는 길(데이터 플레인)은 HAProxy와 커널뿐이므로 쇼핑몰은 계속 응답해야 합니다.",
    "outliving.see": "새 컨트롤 플레인은 실행 중인 프로그램을 pid와 시작 시각으로 식별해 그대로 인계받았습니다. "
    "재시작된 프로그램은 없습니다.",
    "outliving.figure.without_s": "컨트롤 플레인이 없던 시간",
    "outliving.figure.adopted_s": "시작 명령부터 전부 인계받기까지",
    "outliving.figure.requests": "그동안의 요청 수",
    "outliving.figure.failed": "실패",
    "outliving.figure.slowest_ms": "가장 느린 응답",
    "outliving.figure.faults": "실패 내역",
    "outliving.figure.programs": "같은 pid로 계속 실행 중인 프로그램",
}
