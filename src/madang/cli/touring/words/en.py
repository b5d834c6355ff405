"""The tour in English. `{name}` stands for what is filled in; `[...]` is markup of the console."""

WORDS = {
    "frame.word": "in the field",
    "frame.product": "known from",
    "frame.here": "in Madang",
    "frame.measured": "Measured here, just now",
    "frame.hello": "Seven short steps around a microservice system: in each the field's own word, a command, "
    "what it does before your eyes, and the figure measured there and then.",
    "frame.own": "The shop runs in a courtyard of the tour's own, [bold]{name}[/], which is gone when the tour ends.",
    "frame.chosen": "The shop of the courtyard [bold]{name}[/] is walked through; all that is changed is put back.",
    "frame.follow": "To try the commands yourself meanwhile, in another terminal:",
    "frame.bringing": "Starting the shop for this step ...",
    "frame.next": "Enter: step {number}/{of}, {title}    Ctrl-C: stop",
    "frame.last": "Enter: end the tour and put things back",
    "frame.back": "Putting things back ...",
    "frame.done": "That was the tour; everything is as it was before.",
    "frame.cut": "Stopped early; everything is as it was before.",
    "frame.broken": "This could not be put back; it is done by:",
    "frame.further": "Read on in docs/outer-architecture.md, or begin with your own: [bold]madang up[/] in a "
    "folder with a compose.yaml.",
    "start.title": "Start: one file becomes five services",
    "start.word": "container orchestration",
    "start.product": "Kubernetes, Docker Compose",
    "start.here": "app, control, placement, node",
    "start.what": "An ordinary compose.yaml is turned into Kubernetes objects, and the objects are stored. The "
    "rest is up to the controllers: they compare what is wanted with what there is, again and again, give each "
    "instance a node (placement), an address and a running program, in the order that depends_on asks for.",
    "start.see": "A service is ready once its own health check says so. Open [bold]{page}[/] in a browser: the "
    "last line of the page names the instances that answered. The dashboard shows every step as it happens: "
    "[bold]madang dashboard --open[/].",
    "start.figure.ready_s": "from the command to all ready",
    "start.figure.page_ms": "the page",
    "start.figure.instances": "instances",
    "balancing.title": "Names and load balancing",
    "balancing.word": "service discovery, load balancing",
    "balancing.product": "Eureka, Kubernetes Service, HAProxy",
    "balancing.here": "node (names), gateway",
    "balancing.what": "Services find each other by name, never by address. All that web knows is the name "
    "catalog. The name leads to the fixed address of a Service, and that to one of the instances that are ready "
    "now. From inside an instance of web, catalog is asked twenty times.",
    "balancing.see": "The EndpointSlice is the register of living instances; requests are shared out evenly "
    "among them. Instances come and go, and callers change nothing.",
    "balancing.figure.answers": "answers by instance",
    "balancing.figure.answer_ms": "one answer, the program's own time included",
    "healing.title": "Self-healing",
    "healing.word": "self-healing, recovery",
    "healing.product": "Kubernetes (kubelet, ReplicaSet)",
    "healing.here": "node, control, gateway",
    "healing.what": "While people look at the page 20 times a second, one instance of catalog is killed with "
    "SIGKILL. The gateway takes the dead instance out and sends requests whose connection failed to another one. "
    "The node starts the program again, and once its health check passes it gets requests again.",
    "healing.wait": "An instance that has been ready for {steady} seconds is restarted at once, a younger one "
    "after a pause: waiting {seconds} seconds.",
    "healing.see": "RESTARTS went up by one, and nobody did anything about it. Failed means: no answer, an "
    "error, or a page with a part missing. The people who ask never try again, so that an answer that had begun "
    "when the program died is lost.",
    "healing.figure.healed_s": "from death to ready again",
    "healing.figure.requests": "requests meanwhile",
    "healing.figure.failed": "failed",
    "healing.figure.slowest_ms": "slowest answer",
    "healing.figure.faults": "what failed",
    "scaling.title": "Horizontal scaling",
    "scaling.word": "horizontal scaling",
    "scaling.product": "Kubernetes (Deployment, HorizontalPodAutoscaler)",
    "scaling.here": "control, placement, gateway",
    "scaling.what": "Instead of a bigger machine (vertical scaling), more instances of the same. First by hand: "
    "two more of cart while people look at the page, and back.",
    "scaling.load": "Now without a command: catalog gets work {rate} times a second, and its autoscaler watches "
    "the CPU that its instances use.",
    "scaling.see": "Each instance has an address of its own and takes its share of the requests as soon as it is "
    "ready. An autoscaler waits five minutes before it makes a service smaller; the tour gave back the number of "
    "before.",
    "scaling.figure.scaled_s": "by hand: from the command to two more ready",
    "scaling.figure.requests": "requests meanwhile",
    "scaling.figure.failed": "failed",
    "scaling.figure.slowest_ms": "slowest answer",
    "scaling.figure.faults": "what failed",
    "scaling.figure.autoscaled_s": "by itself: from the first work to one more ready",
    "rolling.title": "Rolling update",
    "rolling.word": "rolling update, deployment without downtime",
    "rolling.product": "Kubernetes (Deployment, ReplicaSet)",
    "rolling.here": "control, gateway",
    "rolling.what": "A setting of web changes. Only when an instance of the new revision is ready, one of the "
    "old goes; it leaves the gateway's rotation first and is told to stop after. People look at the page all the "
    "while.",
    "rolling.see": "Each revision is a ReplicaSet. The old one stays, with no instances, which is why one "
    "command brought it back.",
    "rolling.figure.updated_s": "the update",
    "rolling.figure.undone_s": "back to the revision before",
    "rolling.figure.requests": "requests meanwhile",
    "rolling.figure.failed": "failed",
    "rolling.figure.slowest_ms": "slowest answer",
    "rolling.figure.faults": "what failed",
    "packing.title": "Automatic bin packing",
    "packing.word": "automatic bin packing, placement",
    "packing.product": "Kubernetes (kube-scheduler)",
    "packing.here": "placement",
    "packing.what": "A second courtyard divides this machine into three nodes. The scheduler looks at the CPU "
    "and memory that each pod requests, leaves out the nodes where it does not fit, and takes the one that it "
    "fills most.",
    "packing.boxes": "Six boxes come one after the other, sized in percent of a node's CPU: {sizes}.",
    "packing.full": "So full are the nodes now: {full}. The box f fits nowhere and waits; an event says why.",
    "packing.see": "When e left there was room, and f got its node. This courtyard is gone already.",
    "packing.figure.nodes": "percent of each node's CPU given out, before e left",
    "packing.figure.placed_ms": "from the first box to the last one's node",
    "packing.figure.freed_ms": "from the room to the waiting box's node",
    "outliving.title": "Workloads outlive the control plane",
    "outliving.word": "control plane and data plane",
    "outliving.product": "Kubernetes (API server, controller manager, scheduler)",
    "outliving.here": "courtyard, node (monitors), gateway",
    "outliving.what": "All of this was the work of one process, the control plane. It is killed now, with -9. "
    "Requests go through HAProxy and the kernel alone, the data plane, so the shop has to go on answering.",
    "outliving.see": "The next control plane knew the running programs by pid and start time and took them over "
    "as they were: none was restarted.",
    "outliving.figure.without_s": "without a control plane",
    "outliving.figure.adopted_s": "from the command to all adopted",
    "outliving.figure.requests": "requests meanwhile",
    "outliving.figure.failed": "failed",
    "outliving.figure.slowest_ms": "slowest answer",
    "outliving.figure.faults": "what failed",
    "outliving.figure.programs": "programs that run on under the same pid",
}
