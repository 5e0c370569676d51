/* Makes each call that could change a file system once, in each of its forms, in the folder that
 * it is started in. Every form has a file name of its own. Failures do not matter: they are calls.
 *
 *   every_call old    what strace 6.1 can decode
 *   every_call new    what came later, and what it shows without a path
 *   every_call wide   the table of i386, through int 0x80
 *   every_call mounts mounts, chroot and pivot_root; needs root
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

/* A file that exists, open for reading only. */
static int reading(const char *name) {
    close(syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));
    return open(name, O_RDONLY);
}

static void make(const char *name) { close(reading(name)); }

static int bind_to(const char *path, int type) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, type, 0);
    bind(fd, (struct sockaddr *)&address, sizeof address);
    return fd;
}

static void opens(int dir) {
    syscall(SYS_open, "open-create", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_open, "open-create-for-reading", O_RDONLY | O_CREAT, 0644);
    syscall(SYS_open, "open-exclusive", O_RDWR | O_CREAT | O_EXCL, 0644);
    syscall(SYS_open, "open-exclusive", O_RDWR | O_CREAT | O_EXCL, 0644);
    make("open-write");
    syscall(SYS_open, "open-write", O_WRONLY);
    make("open-append");
    syscall(SYS_open, "open-append", O_WRONLY | O_APPEND);
    make("open-truncate");
    syscall(SYS_open, "open-truncate", O_RDWR | O_TRUNC);
    make("open-truncate-for-reading");
    syscall(SYS_open, "open-truncate-for-reading", O_RDONLY | O_TRUNC);
    make("open-mode-3");
    syscall(SYS_open, "open-mode-3", O_ACCMODE);
    syscall(SYS_open, "open-missing", O_WRONLY);
    syscall(SYS_open, "no-folder/open-create", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_open, "open-create/not-a-folder", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_open, "folder", O_WRONLY);
    syscall(SYS_open, "folder/", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_creat, "creat", 0600);
    syscall(SYS_openat, AT_FDCWD, "openat-create", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    syscall(SYS_openat, dir, "openat-in-folder", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_openat, dir, "../openat-above-folder", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_openat, -1, "openat-no-descriptor", O_WRONLY | O_CREAT, 0644);
    char absolute[4096];
    getcwd(absolute, 3000);
    strcat(absolute, "/openat-absolute");
    syscall(SYS_openat, -1, absolute, O_WRONLY | O_CREAT, 0644);
    syscall(SYS_openat, AT_FDCWD, ".//folder/.././/openat-dots", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_openat, AT_FDCWD, "bytes-\xff\xfe\n\t\\ ", O_WRONLY | O_CREAT, 0644);
    char longest[300];
    memset(longest, 'x', sizeof longest);
    longest[255] = 0;
    syscall(SYS_openat, AT_FDCWD, longest, O_WRONLY | O_CREAT, 0644);
    struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 0644};
    syscall(SYS_openat2, AT_FDCWD, "openat2-create", &how, sizeof how);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    syscall(SYS_openat2, dir, "openat2-beneath", &how, sizeof how);
    struct open_how for_reading = {.flags = O_RDONLY};
    syscall(SYS_openat2, AT_FDCWD, "openat2-create", &for_reading, sizeof for_reading);
    syscall(SYS_openat, AT_FDCWD, "folder", O_TMPFILE | O_RDWR, 0600);
    syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    /* None of these changes anything. */
    syscall(SYS_openat, AT_FDCWD, "open-write", O_RDONLY | O_CLOEXEC);
    syscall(SYS_openat, AT_FDCWD, "open-write", O_PATH | O_RDWR | O_CREAT);
}

static void links_to_files(void) {
    make("target");
    symlink("target", "link");
    symlink("new-target", "dangling");
    symlink("folder", "link-to-folder");
    symlink("loop", "loop");
    syscall(SYS_openat, AT_FDCWD, "link", O_WRONLY);
    syscall(SYS_openat, AT_FDCWD, "link", O_WRONLY | O_NOFOLLOW);
    syscall(SYS_openat, AT_FDCWD, "dangling", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_openat, AT_FDCWD, "link", O_WRONLY | O_CREAT | O_EXCL, 0644);
    syscall(SYS_openat, AT_FDCWD, "link-to-folder/through-link", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_openat, AT_FDCWD, "link-to-folder/../above-link", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_chmod, "link", 0600);
    syscall(SYS_chown, "link", getuid(), getgid());
    syscall(SYS_lchown, "link", getuid(), getgid());
    syscall(SYS_fchownat, AT_FDCWD, "link", getuid(), getgid(), AT_SYMLINK_NOFOLLOW);
    syscall(SYS_utimensat, AT_FDCWD, "link", NULL, AT_SYMLINK_NOFOLLOW);
    syscall(SYS_utimensat, AT_FDCWD, "link", NULL, 0);
    syscall(SYS_setxattr, "link", "user.a", "b", 1, 0);
    syscall(SYS_lsetxattr, "link", "user.a", "b", 1, 0);
    syscall(SYS_truncate, "link", 3);
    syscall(SYS_access, "link", W_OK);
    syscall(SYS_faccessat2, AT_FDCWD, "link", W_OK, AT_SYMLINK_NOFOLLOW);
    syscall(SYS_chmod, "loop", 0600);
    syscall(SYS_chmod, "link-to-folder/", 0755);
    syscall(SYS_chmod, "link-to-folder/.", 0755);
    syscall(SYS_rmdir, "link-to-folder");
    syscall(SYS_mkdir, "link", 0755);
    syscall(SYS_rename, "link", "link-renamed");
    syscall(SYS_unlink, "link-renamed");
}

static void entries(int dir) {
    syscall(SYS_mkdir, "mkdir", 0755);
    syscall(SYS_mkdir, "mkdir", 0755);
    syscall(SYS_mkdir, "mkdir-with-slash/", 0755);
    syscall(SYS_mkdir, ".", 0755);
    syscall(SYS_mkdir, "/", 0755);
    syscall(SYS_mkdirat, dir, "mkdirat", 0755);
    syscall(SYS_rmdir, "mkdir");
    syscall(SYS_rmdir, "mkdir-with-slash/");
    syscall(SYS_rmdir, "folder");
    syscall(SYS_unlinkat, dir, "mkdirat", AT_REMOVEDIR);
    make("unlink");
    syscall(SYS_unlink, "unlink");
    syscall(SYS_unlink, "unlink-missing");
    make("folder/unlinkat");
    syscall(SYS_unlinkat, dir, "unlinkat", 0);
    syscall(SYS_unlinkat, AT_FDCWD, "unlinkat-missing", 0);
    make("rename-1");
    syscall(SYS_rename, "rename-1", "rename-2");
    syscall(SYS_rename, "rename-missing", "rename-3");
    make("renameat-1");
    syscall(SYS_renameat, AT_FDCWD, "renameat-1", dir, "renameat-2");
    make("renameat2-1");
    syscall(SYS_renameat2, AT_FDCWD, "renameat2-1", dir, "renameat2-2", RENAME_NOREPLACE);
    make("renameat2-3");
    make("renameat2-4");
    syscall(SYS_renameat2, AT_FDCWD, "renameat2-3", AT_FDCWD, "renameat2-4", RENAME_EXCHANGE);
    syscall(SYS_rename, "renameat2-3", "/dev/shm/rename-across");
    make("link-1");
    syscall(SYS_link, "link-1", "link-2");
    syscall(SYS_link, "link-missing", "link-3");
    syscall(SYS_linkat, AT_FDCWD, "link-1", dir, "linkat", AT_SYMLINK_FOLLOW);
    int fd = reading("linkat-self");
    syscall(SYS_linkat, fd, "", AT_FDCWD, "linkat-by-descriptor", AT_EMPTY_PATH);
    syscall(SYS_symlink, "anywhere", "symlink");
    syscall(SYS_symlinkat, "anywhere", dir, "symlinkat");
    syscall(SYS_mknod, "mknod-fifo", S_IFIFO | 0600, 0);
    syscall(SYS_mknod, "mknod-file", 0600, 0);
    syscall(SYS_mknodat, dir, "mknodat", S_IFSOCK | 0600, 0);
    bind_to("bind-stream", SOCK_STREAM);
    bind_to("bind-stream", SOCK_STREAM);
    bind_to("folder/bind-datagram", SOCK_DGRAM);
    /* An abstract address is no file. */
    struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0every-call"};
    bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&abstract, offsetof(struct sockaddr_un, sun_path) + 11);
}

static void changes(int dir) {
    struct timeval microseconds[2] = {{1, 2}, {3, 4}};
    struct timespec nanoseconds[2] = {{1, 2}, {3, 4}};
    struct timespec omitted[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    struct utimbuf seconds = {1, 2};
    int fd = reading("by-descriptor");
    make("by-path");
    make("folder/by-folder");
    syscall(SYS_chmod, "by-path", 0640);
    syscall(SYS_chmod, "chmod-missing", 0640);
    syscall(SYS_fchmod, fd, 0640);
    syscall(SYS_fchmodat, dir, "by-folder", 0640);
    syscall(SYS_chown, "by-path", getuid(), getgid());
    syscall(SYS_lchown, "by-path", getuid(), getgid());
    syscall(SYS_fchown, fd, getuid(), getgid());
    syscall(SYS_fchownat, dir, "by-folder", getuid(), getgid(), 0);
    int self = reading("fchownat-self");
    syscall(SYS_fchownat, self, "", getuid(), getgid(), AT_EMPTY_PATH);
    syscall(SYS_fchownat, AT_FDCWD, "", getuid(), getgid(), AT_EMPTY_PATH);
    syscall(SYS_utime, "by-path", &seconds);
    syscall(SYS_utimes, "folder/by-folder", microseconds);
    syscall(SYS_futimesat, dir, "by-folder", microseconds);
    syscall(SYS_futimesat, reading("futimesat-self"), NULL, microseconds);
    syscall(SYS_utimensat, dir, "by-folder", nanoseconds, 0);
    syscall(SYS_utimensat, fd, NULL, nanoseconds, 0);
    make("utimensat-omitted");
    syscall(SYS_utimensat, AT_FDCWD, "utimensat-omitted", omitted, 0);
    syscall(SYS_setxattr, "by-path", "user.a", "b", 1, 0);
    syscall(SYS_lsetxattr, "folder/by-folder", "user.a", "b", 1, 0);
    syscall(SYS_fsetxattr, fd, "user.a", "b", 1, 0);
    syscall(SYS_removexattr, "by-path", "user.a");
    syscall(SYS_lremovexattr, "folder/by-folder", "user.a");
    syscall(SYS_fremovexattr, fd, "user.a");
    syscall(SYS_truncate, "by-path", 10L);
    int writing = open("ftruncate", O_RDWR | O_CREAT, 0644);
    syscall(SYS_ftruncate, writing, 20L);
    syscall(SYS_ftruncate, fd, 20L);
    syscall(SYS_access, "by-path", W_OK | R_OK);
    syscall(SYS_access, "by-path", R_OK);
    syscall(SYS_access, "/dev/null", W_OK);
    syscall(SYS_faccessat, dir, "by-folder", W_OK);
    syscall(SYS_faccessat2, dir, "", W_OK, AT_EMPTY_PATH);
    int flags = 0;
    ioctl(fd, FS_IOC_GETFLAGS, &flags);
    ioctl(fd, FS_IOC_SETFLAGS, &flags);
    struct fsxattr attributes;
    int other = reading("fssetxattr");
    ioctl(other, FS_IOC_FSGETXATTR, &attributes);
    ioctl(other, FS_IOC_FSSETXATTR, &attributes);
    /* A file that has lost its name, a pipe, and a file that never had a name here. */
    int lost = reading("lost");
    unlink("lost");
    syscall(SYS_fchmod, lost, 0600);
    int ends[2];
    pipe(ends);
    syscall(SYS_fchmod, ends[0], 0600);
    syscall(SYS_ftruncate, memfd_create("memory", 0), 4096L);
    syscall(SYS_fchmod, 999, 0600);
}

static void newer(int dir) {
    struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 0644, .resolve = RESOLVE_IN_ROOT};
    syscall(SYS_openat2, dir, "/../in-root", &how, sizeof how);
    make("fchmodat2");
    syscall(452, AT_FDCWD, "fchmodat2", 0600, AT_SYMLINK_NOFOLLOW);
    int fd = reading("fchmodat2-self");
    syscall(452, fd, "", 0600, AT_EMPTY_PATH);
    struct {
        uint64_t value;
        uint32_t size, flags;
    } attribute = {(uintptr_t) "b", 1, 0};
    make("setxattrat");
    syscall(463, AT_FDCWD, "setxattrat", 0, "user.a", &attribute, sizeof attribute);
    fd = reading("setxattrat-self");
    syscall(463, fd, "", AT_EMPTY_PATH, "user.a", &attribute, sizeof attribute);
    make("folder/removexattrat");
    syscall(466, dir, "removexattrat", AT_SYMLINK_NOFOLLOW, "user.a");
    make("file_setattr");
    char nothing[24] = {0};
    syscall(469, AT_FDCWD, "file_setattr", nothing, sizeof nothing, 0);
    /* A handle is no path: what was opened is known at the end of the call. */
    struct {
        struct file_handle handle;
        char bytes[MAX_HANDLE_SZ];
    } handle = {.handle.handle_bytes = MAX_HANDLE_SZ};
    int mount;
    make("by-handle");
    if (name_to_handle_at(AT_FDCWD, "by-handle", &handle.handle, &mount, 0) == 0)
        syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDWR);
    /* A path that is not there, and one without an end. */
    syscall(SYS_openat, AT_FDCWD, NULL, O_WRONLY | O_CREAT, 0644);
    char *endless = malloc(8192);
    memset(endless, 'y', 8192);
    endless[8191] = 0;
    syscall(SYS_openat, AT_FDCWD, endless, O_WRONLY | O_CREAT, 0644);
    /* A name that ends with its page, before one that is not mapped. */
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + 4096, 4096);
    strcpy(pages + 4096 - sizeof "page-end", "page-end");
    syscall(SYS_openat, AT_FDCWD, pages + 4096 - sizeof "page-end", O_WRONLY | O_CREAT, 0644);
    /* Through /proc: the process's own links. */
    symlink("/proc/self/cwd/folder", "own-folder");
    syscall(SYS_openat, AT_FDCWD, "own-folder/through-proc", O_WRONLY | O_CREAT, 0644);
    char own[64];
    fd = reading("through-descriptor");
    sprintf(own, "/proc/self/fd/%d", fd);
    syscall(SYS_openat, AT_FDCWD, own, O_WRONLY);
    sprintf(own, "/proc/thread-self/fd/%d/in-folder", dir);
    syscall(SYS_openat, AT_FDCWD, own, O_WRONLY | O_CREAT, 0644);
    syscall(SYS_openat, AT_FDCWD, "/proc/self/comm", O_WRONLY);
    int ends[2];
    pipe(ends);
    sprintf(own, "/dev/fd/%d", ends[1]);
    syscall(SYS_openat, AT_FDCWD, own, O_WRONLY);
    /* From a working directory that is gone. */
    mkdir("gone", 0755);
    chdir("gone");
    rmdir("../gone");
    syscall(SYS_openat, AT_FDCWD, "in-gone", O_WRONLY | O_CREAT, 0644);
    syscall(SYS_mkdir, "../in-gone", 0755);
}

/* The table of i386. Arguments have to lie below four gigabytes. */
static char *low;

static uint32_t text(const char *string) {
    static char *next;
    if (!next)
        next = low;
    char *copy = next;
    next += strlen(string) + 1;
    strcpy(copy, string);
    return (uint32_t)(uintptr_t)copy;
}

static uint32_t data(const void *bytes, size_t length) {
    static char *next;
    if (!next)
        next = low + 65536;
    char *copy = next;
    next += (length + 15) & ~15ul;
    memcpy(copy, bytes, length);
    return (uint32_t)(uintptr_t)copy;
}

static long wide(uint32_t number, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e) {
    long answer;
    __asm__ volatile("int $0x80"
                     : "=a"(answer)
                     : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory", "r8", "r9", "r10", "r11");
    return answer;
}

static void wides(int dir) {
    low = mmap(NULL, 131072, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    uint32_t cwd = (uint32_t)AT_FDCWD;
    uint32_t uid = getuid(), gid = getgid();
    int32_t times32[4] = {1, 2, 3, 4};
    int64_t times64[4] = {1, 2, 3, 4};
    wide(5, text("i386-open"), O_WRONLY | O_CREAT, 0644, 0, 0);
    wide(5, text("i386-open"), O_RDONLY, 0, 0, 0);
    wide(5, text("i386-open"), O_RDWR, 0, 0, 0);
    wide(8, text("i386-creat"), 0644, 0, 0, 0);
    wide(295, cwd, text("i386-openat"), O_WRONLY | O_CREAT, 0644, 0);
    struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 0644};
    wide(437, dir, text("i386-openat2"), data(&how, sizeof how), sizeof how, 0);
    make("i386-file");
    int fd = reading("i386-descriptor");
    wide(39, text("i386-mkdir"), 0755, 0, 0, 0);
    wide(296, dir, text("i386-mkdirat"), 0755, 0, 0);
    wide(40, text("i386-mkdir"), 0, 0, 0, 0);
    wide(301, dir, text("i386-mkdirat"), AT_REMOVEDIR, 0, 0);
    wide(10, text("i386-creat"), 0, 0, 0, 0);
    wide(38, text("i386-open"), text("i386-rename"), 0, 0, 0);
    wide(302, cwd, text("i386-rename"), dir, text("i386-renameat"), 0);
    wide(353, dir, text("i386-renameat"), dir, text("i386-renameat2"), RENAME_NOREPLACE);
    wide(9, text("i386-file"), text("i386-link"), 0, 0, 0);
    wide(303, cwd, text("i386-file"), dir, text("i386-linkat"), 0);
    wide(83, text("anywhere"), text("i386-symlink"), 0, 0, 0);
    wide(304, text("anywhere"), dir, text("i386-symlinkat"), 0, 0);
    wide(14, text("i386-mknod"), S_IFIFO | 0600, 0, 0, 0);
    wide(297, dir, text("i386-mknodat"), S_IFIFO | 0600, 0, 0);
    wide(15, text("i386-file"), 0640, 0, 0, 0);
    wide(94, fd, 0640, 0, 0, 0);
    wide(306, dir, text("i386-linkat"), 0640, 0, 0);
    wide(182, text("i386-file"), uid, gid, 0, 0);
    wide(212, text("i386-file"), uid, gid, 0, 0);
    wide(16, text("i386-symlink"), uid, gid, 0, 0);
    wide(198, text("i386-symlink"), uid, gid, 0, 0);
    wide(95, fd, uid, gid, 0, 0);
    wide(207, fd, uid, gid, 0, 0);
    wide(298, dir, text("i386-linkat"), uid, gid, AT_SYMLINK_NOFOLLOW);
    wide(30, text("i386-file"), data(times32, 8), 0, 0, 0);
    wide(271, text("i386-file"), data(times32, 16), 0, 0, 0);
    wide(299, dir, text("i386-linkat"), data(times32, 16), 0, 0);
    wide(320, dir, text("i386-renameat2"), data(times32, 16), 0, 0);
    wide(412, fd, 0, data(times64, 32), 0, 0);
    wide(226, text("i386-file"), text("user.a"), text("b"), 1, 0);
    wide(227, text("i386-file"), text("user.a"), text("b"), 1, 0);
    wide(228, fd, text("user.a"), text("b"), 1, 0);
    wide(235, text("i386-file"), text("user.a"), 0, 0, 0);
    wide(236, text("i386-file"), text("user.a"), 0, 0, 0);
    wide(237, fd, text("user.a"), 0, 0, 0);
    wide(92, text("i386-file"), 10, 0, 0, 0);
    wide(193, text("i386-link"), 10, 0, 0, 0);
    int writing = open("i386-ftruncate", O_RDWR | O_CREAT, 0644);
    wide(93, writing, 10, 0, 0, 0);
    wide(194, writing, 20, 0, 0, 0);
    wide(33, text("i386-file"), W_OK, 0, 0, 0);
    wide(307, dir, text("i386-linkat"), W_OK, 0, 0);
    wide(439, dir, text("i386-renameat2"), W_OK, AT_EACCESS, 0);
    uint32_t flags = 0;
    wide(54, fd, 0x40046602, data(&flags, sizeof flags), 0, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "i386-bind"};
    wide(361, socket(AF_UNIX, SOCK_STREAM, 0), data(&address, sizeof address), sizeof address, 0, 0);
    strcpy(address.sun_path, "i386-socketcall");
    uint32_t arguments[3] = {socket(AF_UNIX, SOCK_STREAM, 0), data(&address, sizeof address), sizeof address};
    wide(102, 2, data(arguments, sizeof arguments), 0, 0, 0);
    wide(425, 8, 0, 0, 0, 0);
}

static void mounts(void) {
    if (unshare(CLONE_NEWNS) == -1)
        exit(1);
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mkdir("mounted", 0755);
    mount("none", "mounted", "tmpfs", 0, NULL);
    close(open("mounted/in-mount", O_WRONLY | O_CREAT, 0644));
    mount(NULL, "mounted", NULL, MS_REMOUNT | MS_RDONLY, NULL);
    close(open("mounted/in-read-only-mount", O_WRONLY | O_CREAT, 0644));
    umount2("mounted", 0);
    close(open("mounted/below-mount", O_WRONLY | O_CREAT, 0644));
    mkdir("jail", 0755);
    mkdir("jail/inner", 0755);
    int outside = open(".", O_RDONLY | O_DIRECTORY);
    pid_t child = fork();
    if (child == 0) {
        chroot("jail");
        close(open("/in-jail", O_WRONLY | O_CREAT, 0644));
        close(open("/inner/../../in-jail-too", O_WRONLY | O_CREAT, 0644));
        symlink("/inner", "/link");
        close(open("/link/through-link", O_WRONLY | O_CREAT, 0644));
        chdir("/inner");
        close(open("relative", O_WRONLY | O_CREAT, 0644));
        close(open("../../../relative-above", O_WRONLY | O_CREAT, 0644));
        close(openat(outside, "outside-jail", O_WRONLY | O_CREAT, 0644));
        _exit(0);
    }
    waitpid(child, NULL, 0);
    child = fork();
    if (child == 0) {
        unshare(CLONE_NEWNS);
        mount("none", "jail", "tmpfs", 0, NULL);
        chdir("jail");
        mkdir("old", 0755);
        syscall(SYS_pivot_root, ".", "old");
        chdir("/");
        close(open("/in-new-root", O_WRONLY | O_CREAT, 0644));
        umount2("/old", MNT_DETACH);
        close(open("/in-new-root-alone", O_WRONLY | O_CREAT, 0644));
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv) {
    const char *part = argc > 1 ? argv[1] : "old";
    umask(022);
    mkdir("folder", 0755);
    int dir = open("folder", O_RDONLY | O_DIRECTORY);
    if (!strcmp(part, "old")) {
        opens(dir);
        links_to_files();
        entries(dir);
        changes(dir);
    } else if (!strcmp(part, "new")) {
        newer(dir);
    } else if (!strcmp(part, "wide")) {
        wides(dir);
    } else if (!strcmp(part, "mounts")) {
        mounts();
    } else {
        return 2;
    }
    return 0;
}
