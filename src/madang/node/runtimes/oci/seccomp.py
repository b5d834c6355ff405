"""The default seccomp profile: the system calls that a container may make, everything else is refused.

In: the container's capabilities, the machine's architecture. Out: `linux.seccomp`. The choice of calls is that of
containerd's RuntimeDefault, so that a program that runs on a cluster runs here, and one that is stopped there is
stopped here. A name that this kernel or library does not know is passed over by the runtime.
"""

from collections.abc import Collection
from typing import Any

EPERM, ENOSYS = 1, 38
AF_ALG, AF_VSOCK = 38, 40

ARCHITECTURES = {
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
    "riscv64": ("SCMP_ARCH_RISCV64",),
    "s390x": ("SCMP_ARCH_S390X", "SCMP_ARCH_S390"),
    "ppc64le": ("SCMP_ARCH_PPC64LE",),
}
OWN_CALLS = {
    "x86_64": "arch_prctl modify_ldt",
    "aarch64": "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
    "riscv64": "riscv_flush_icache",
    "s390x": "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr",
    "ppc64le": "sync_file_range2 swapcontext",
}

# By what they are about; the order means nothing.
_FILES = """
access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync
fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64
futimesat getcwd getdents getdents64 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
ioctl lchown lchown32 lgetxattr link linkat listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat
lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2 pwrite64
pwritev pwritev2 read readahead readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir
sendfile sendfile64 setxattr setxattrat splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range
syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev
landlock_add_rule landlock_create_ruleset landlock_restrict_self cachestat
"""
_PROCESSES = """
capget capset execve execveat exit exit_group fork getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit getrusage
getsid gettid getuid getuid32 ioprio_get ioprio_set kill pause pidfd_open pidfd_send_signal prctl prlimit64
process_mrelease restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
rt_sigsuspend rt_sigtimedwait
rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield seccomp setfsgid setfsgid32 setfsuid setfsuid32 setgid
setgid32 setgroups setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32
setreuid setreuid32 setrlimit setsid setuid setuid32 sigaltstack signalfd signalfd4 sigprocmask sigreturn sysinfo
tgkill times tkill ugetrlimit uname vfork wait4 waitid waitpid
"""
_MEMORY_AND_THREADS = """
brk futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake getcpu get_robust_list get_thread_area madvise
map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal
msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages rseq set_robust_list
set_thread_area set_tid_address getrandom
"""
_NETWORK_AND_MESSAGES = """
accept accept4 bind connect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
epoll_wait_old eventfd eventfd2 getpeername getsockname getsockopt io_cancel io_destroy io_getevents io_pgetevents
io_pgetevents_time64 io_setup io_submit ipc listen mq_getsetattr mq_notify mq_open mq_timedreceive
mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd _newselect pipe pipe2
poll ppoll ppoll_time64 pselect6 pselect6_time64 recv recvfrom recvmmsg recvmmsg_time64 recvmsg select semctl semget
semop semtimedop semtimedop_time64 send sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown
socketcall socketpair
"""
_TIME = """
alarm clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer
gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
adjtimex clock_adjtime clock_adjtime64
"""
_TRACING = "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"  # safe since Linux 4.8
ALWAYS = tuple(" ".join((_FILES, _PROCESSES, _MEMORY_AND_THREADS, _NETWORK_AND_MESSAGES, _TIME, _TRACING)).split())

# What a capability lets through besides.
BY_CAPABILITY = {
    "CAP_DAC_READ_SEARCH": "open_by_handle_at",
    "CAP_SYS_ADMIN": (
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr "
        "lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl "
        "quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare"
    ),
    "CAP_SYS_BOOT": "reboot",
    "CAP_SYS_CHROOT": "chroot",
    "CAP_SYS_MODULE": "delete_module finit_module init_module query_module",
    "CAP_SYS_PACCT": "acct",
    "CAP_SYS_RAWIO": "iopl ioperm",
    "CAP_SYS_TIME": "clock_settime clock_settime64 settimeofday stime",
    "CAP_SYS_TTY_CONFIG": "vhangup",
    "CAP_SYS_NICE": "get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node",
    "CAP_SYSLOG": "syslog",
    "CAP_BPF": "bpf",
    "CAP_PERFMON": "perf_event_open",
}
PERSONALITIES = (0x0, 0x0008, 0x20000, 0x20008, 0xFFFFFFFF)
# New namespaces of any kind but the time's.
NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000


def profile(capabilities: Collection[str], arch: str) -> dict[str, Any]:
    """`capabilities` is the bounding set."""
    allowed = {*ALWAYS, *OWN_CALLS.get(arch, "").split()}
    for capability, names in BY_CAPABILITY.items():
        if capability in capabilities:
            allowed |= set(names.split())
    calls = [_allow(*sorted(allowed))]
    calls += [_allow("personality", arg=(0, value, "SCMP_CMP_EQ")) for value in PERSONALITIES]
    # Not the machine's own (hypervisor, kernel crypto): these have been ways out.
    calls += [
        _allow("socket", arg=(0, AF_ALG, "SCMP_CMP_LT")),
        _allow("socket", arg=(0, AF_ALG + 1, "SCMP_CMP_EQ")),
        _allow("socket", arg=(0, AF_VSOCK, "SCMP_CMP_GT")),
    ]
    if "CAP_SYS_ADMIN" not in capabilities:
        flags_at = 1 if arch == "s390x" else 0
        calls.append(_allow("clone", arg=(flags_at, NEW_NAMESPACES, "SCMP_CMP_MASKED_EQ")))
        # Its flags lie in memory where no filter sees them; a library that hears ENOSYS uses clone.
        calls.append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS})
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": EPERM,
        "architectures": list(ARCHITECTURES.get(arch, ())),
        "syscalls": calls,
    }


def _allow(*names: str, arg: tuple[int, int, str] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"names": list(names), "action": "SCMP_ACT_ALLOW"}
    if arg is not None:
        found["args"] = [{"index": arg[0], "value": arg[1], "op": arg[2]}]
    return found
