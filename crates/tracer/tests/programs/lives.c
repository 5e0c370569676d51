/* Programs whose lives are hard to follow. Each part ends with 0 if all went as it would without a
 * tracer, and with the line of the first thing that did not. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #what, errno);                                       \
            _exit(__LINE__ % 125 + 1);                                                                                 \
        }                                                                                                              \
    } while (0)

static const char *self;

static void make(const char *name) {
    int fd = open(name, O_WRONLY | O_CREAT, 0644);
    CHECK(fd >= 0);
    close(fd);
}

static int ended(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void *make_many(void *argument) {
    char name[32];
    for (int at = 0; at < 50; at++) {
        sprintf(name, "thread-%ld-%d", (long)argument, at);
        make(name);
        CHECK(chmod(name, 0600) == 0);
    }
    return NULL;
}

static void threads(void) {
    pthread_t all[8];
    for (long at = 0; at < 8; at++)
        CHECK(pthread_create(&all[at], NULL, make_many, (void *)at) == 0);
    for (int at = 0; at < 8; at++)
        CHECK(pthread_join(all[at], NULL) == 0);
}

static void *outlive(void *argument) {
    usleep(100000);
    make("after-leader");
    exit(0);
}

static void leader_leaves(void) {
    pthread_t other;
    CHECK(pthread_create(&other, NULL, outlive, NULL) == 0);
    pthread_exit(NULL);
}

static void *execute(void *argument) {
    make("before-exec");
    execl(self, self, "executed", NULL);
    CHECK(!"executed");
    return NULL;
}

static void *idle(void *argument) {
    for (;;)
        pause();
    return NULL;
}

static void exec_from_thread(void) {
    pthread_t other;
    for (int at = 0; at < 4; at++)
        CHECK(pthread_create(&other, NULL, idle, NULL) == 0);
    CHECK(pthread_create(&other, NULL, execute, NULL) == 0);
    idle(NULL);
}

static void vforks(void) {
    for (int at = 0; at < 20; at++) {
        pid_t child = vfork();
        if (child == 0) {
            execl(self, self, "executed", NULL);
            _exit(99);
        }
        CHECK(ended(child) == 0);
    }
}

static int change_folder(void *argument) { return chdir("shared"); }

static void clones(void) {
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    pid_t child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        make("clone3");
        _exit(3);
    }
    CHECK(ended(child) == 3);
    /* No signal at its end. */
    arguments.exit_signal = 0;
    child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        make("clone-without-signal");
        _exit(4);
    }
    int status;
    CHECK(waitpid(child, &status, __WALL) == child && WEXITSTATUS(status) == 4);
    /* A sister. */
    pid_t outer = fork();
    if (outer == 0) {
        arguments = (struct clone_args){.flags = CLONE_PARENT};
        child = syscall(SYS_clone3, &arguments, sizeof arguments);
        if (child == 0) {
            make("clone-parent");
            _exit(0);
        }
        CHECK(child > 0);
        _exit(0);
    }
    CHECK(ended(outer) == 0);
    CHECK(waitpid(-1, &status, __WALL) > 0 && WIFEXITED(status));
    /* A shared working directory. */
    CHECK(mkdir("shared", 0755) == 0);
    static char stack[65536];
    child = clone(change_folder, stack + sizeof stack, CLONE_FS | SIGCHLD, NULL);
    CHECK(ended(child) == 0);
    make("in-shared");
    CHECK(chdir("..") == 0);
}

static void forks(void) {
    char name[32];
    for (int round = 0; round < 20; round++) {
        pid_t children[50];
        for (int at = 0; at < 50; at++) {
            children[at] = fork();
            CHECK(children[at] >= 0);
            if (children[at] == 0) {
                sprintf(name, "fork-%d-%d", round, at);
                make(name);
                _exit(at);
            }
        }
        for (int at = 0; at < 50; at++)
            CHECK(ended(children[at]) == at);
    }
}

static void orphan(void) {
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            usleep(200000);
            make("by-orphan");
        }
        _exit(0);
    }
    wait(NULL);
}

static void group_stop(void) {
    int over[2];
    char byte;
    CHECK(pipe(over) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(over[1]);
        raise(SIGSTOP);
        make("after-stop");
        /* Its end would be told instead of its going on. */
        _exit(read(over[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(over[0]);
    int status;
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    usleep(50000);
    CHECK(access("after-stop", F_OK) == -1);
    CHECK(kill(child, SIGCONT) == 0);
    CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    close(over[1]);
    CHECK(ended(child) == 0);
    /* Killed while it stands still. */
    child = fork();
    if (child == 0) {
        /* In an orphaned process group, such as that of a job whose shell is gone, SIGTSTP stops nothing. */
        setpgid(0, 0);
        raise(SIGTSTP);
        _exit(0);
    }
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(ended(child) == -SIGKILL);
}

static volatile int caught;

static void catch(int number) { caught++; }

static void signals(void) {
    struct sigaction action = {.sa_handler = catch};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int at = 0; at < 2000; at++) {
        make("under-signals");
        CHECK(rename("under-signals", "under-signals-too") == 0);
        CHECK(unlink("under-signals-too") == 0);
    }
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(caught > 10);
    /* The signals that a tracer itself uses, and one that has no name. */
    int own[] = {SIGTRAP, SIGUSR1, SIGCHLD, SIGCONT, SIGRTMIN + 3};
    for (unsigned at = 0; at < sizeof own / sizeof *own; at++) {
        caught = 0;
        CHECK(sigaction(own[at], &action, NULL) == 0);
        CHECK(raise(own[at]) == 0);
        CHECK(caught == 1);
    }
    /* An open that waits, and is interrupted. */
    CHECK(mkfifo("fifo", 0600) == 0);
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 50000}}, NULL) == 0);
    CHECK(open("fifo", O_WRONLY) == -1 && errno == EINTR);
    /* The same again, but made once more by the kernel. */
    signal(SIGCHLD, SIG_DFL);
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(150000);
        _exit(open("fifo", O_RDONLY) >= 0 ? 0 : 1);
    }
    caught = 0;
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 50000}}, NULL) == 0);
    CHECK(open("fifo", O_WRONLY) >= 0);
    CHECK(caught == 1);
    CHECK(ended(child) == 0);
}

static void killed(void) {
    for (int at = 0; at < 150; at++) {
        pid_t child = fork();
        if (child == 0) {
            if (at % 3 == 0) {
                pthread_t other;
                pthread_create(&other, NULL, make_many, NULL);
            }
            for (;;) {
                make("killed");
                rename("killed", "killed-too");
                chmod("killed-too", 0600);
                if (at % 2) {
                    pid_t grandchild = fork();
                    if (grandchild == 0)
                        _exit(0);
                    waitpid(grandchild, NULL, 0);
                }
            }
        }
        usleep(at * 37 % 3000);
        CHECK(kill(child, SIGKILL) == 0);
        CHECK(ended(child) == -SIGKILL);
    }
}

static void refused(void) {
    CHECK(syscall(425, 8, NULL) == -1 && errno == ENOSYS);
#ifdef __x86_64__
    CHECK(syscall(0x40000000 | SYS_mkdir, "x32", 0755) == -1 && errno == ENOSYS);
    CHECK(access("x32", F_OK) == -1);
#endif
    CHECK(syscall(-1) == -1 && errno == ENOSYS);
    CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 && errno == EPERM);
    /* A filter of the program's own. */
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_symlinkat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 7),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    CHECK(syscall(SYS_mkdirat, AT_FDCWD, "own-filter", 0755) == -1 && errno == EDOM);
    /* Nobody is there to be asked: without a tracer, the kernel says ENOSYS. */
    CHECK(syscall(SYS_uname, NULL) == -1 && errno == ENOSYS);
    CHECK(syscall(SYS_symlinkat, "a", AT_FDCWD, "own-filter-too") == -1 && errno == ENOSYS);
    make("after-own-filter");
}

static void elevated(const char *program) {
    CHECK(setgid(65534) == 0 && setuid(65534) == 0);
    execl(program, program, "is-root", NULL);
    CHECK(!"executed");
}

/* What a container runtime does: sets up outside, and executes a program inside. */
static void contained(const char *jail) {
    make("outside-before");
    pid_t child = fork();
    if (child == 0) {
        make("outside-in-child");
        CHECK(unshare(CLONE_NEWNS | CLONE_NEWPID) == 0);
        pid_t first = fork();
        if (first == 0) {
            CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
            CHECK(mount(jail, jail, NULL, MS_BIND, NULL) == 0);
            CHECK(chdir(jail) == 0);
            CHECK(mkdir("old", 0755) == 0 || errno == EEXIST);
            CHECK(syscall(SYS_pivot_root, ".", "old") == 0);
            CHECK(chdir("/") == 0);
            CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
            CHECK(umount2("/old", MNT_DETACH) == 0);
            execl("/lives", "/lives", "inside", NULL);
            CHECK(!"executed");
        }
        _exit(ended(first) == 5 ? 0 : 1);
    }
    CHECK(ended(child) == 0);
    make("outside-after");
}

static void inside(void) {
    CHECK(getpid() == 1);
    mkdir("/run", 0755);
    make("/run/in-container");
    symlink("/run", "/var-run");
    make("/var-run/through-link");
    int fd = open("/proc/self/comm", O_WRONLY);
    CHECK(fd >= 0);
    CHECK(open("/proc/self/cwd/run/through-proc", O_WRONLY | O_CREAT, 0644) >= 0);
    pid_t child = fork();
    if (child == 0) {
        make("/run/in-child");
        fd = open("/proc/thread-self/comm", O_WRONLY);
        CHECK(fd >= 0);
        _exit(0);
    }
    CHECK(ended(child) == 0);
    /* Ends with the first process. */
    if (fork() == 0)
        for (;;)
            pause();
    exit(5);
}

int main(int argc, char **argv) {
    self = realpath("/proc/self/exe", NULL);
    const char *part = argc > 1 ? argv[1] : "";
    umask(022);
    struct {
        const char *name;
        void (*part)(void);
    } parts[] = {
        {"threads", threads}, {"leader-leaves", leader_leaves}, {"exec-from-thread", exec_from_thread},
        {"vforks", vforks},   {"clones", clones},               {"forks", forks},
        {"orphan", orphan},   {"group-stop", group_stop},       {"signals", signals},
        {"killed", killed},   {"refused", refused},             {"inside", inside},
    };
    for (unsigned at = 0; at < sizeof parts / sizeof *parts; at++)
        if (!strcmp(part, parts[at].name)) {
            parts[at].part();
            return 0;
        }
    if (!strcmp(part, "executed")) {
        make("executed");
        return 0;
    }
    if (!strcmp(part, "elevated"))
        elevated(argv[2]);
    if (!strcmp(part, "is-root"))
        return geteuid() == 0 ? 0 : 1;
    if (!strcmp(part, "contained")) {
        contained(argv[2]);
        return 0;
    }
    if (!strcmp(part, "crash"))
        raise(SIGSEGV);
    if (!strcmp(part, "sleep")) {
        if (fork() == 0)
            sleep(60);
        make("asleep");
        sleep(60);
    }
    if (!strcmp(part, "leave-a-sleeper")) {
        if (fork() == 0) {
            setsid();
            sleep(60);
        }
        make("left");
        return 9;
    }
    return 124;
}
