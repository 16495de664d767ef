/* A disk that can be watched and broken, for one folder of one process (LD_PRELOAD).
 *
 * FAULT_FOLDER   the folder; what happens elsewhere is nobody's business
 * FAULT_LOG      every change of the folder is appended here, in the order in which it happened,
 *                and every word that the process says on a Unix socket (its acknowledgements)
 * FAULT_PLAN     "<what>:<where>:<n>": from the n-th operation of that kind on. what is kill, eio
 *                or enospc; where is any of w (write), s (fsync), t (truncate), n (names), r (read). A "-"
 *                after n means this one operation only.
 * FAULT_SWITCH   if set, the plan counts and holds only while this file exists
 *
 * A write of a full disk may still change bytes that are there already: only what makes a file
 * longer is refused with ENOSPC.
 *
 * The log: records of a head (struct head) and then path and data. Nothing is logged that failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

struct head {
    uint8_t op; /* c create, w write, t truncate, s fsync, u unlink, r rename, m mark */
    uint8_t pad[3];
    uint32_t path;
    uint32_t data;
    uint32_t pad2;
    uint64_t offset;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char folder[4096];
static size_t folder_len;
static int log_fd = -1;
static const char *switch_path;
static const char *plan_where = "";
static int plan_what; /* 0 none, SIGKILL to be killed, or an errno */
static long plan_from = -1, counted;
static int plan_once;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    const char *wanted = getenv("FAULT_FOLDER"), *log = getenv("FAULT_LOG");
    const char *plan = getenv("FAULT_PLAN");
    if (!wanted) return;
    snprintf(folder, sizeof folder, "%s", wanted);
    folder_len = strlen(folder);
    switch_path = getenv("FAULT_SWITCH");
    if (log) {
        log_fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log_fd < 0) abort();
    }
    if (plan) {
        static char words[256];
        snprintf(words, sizeof words, "%s", plan);
        char *save = NULL, *what = strtok_r(words, ":", &save), *where = strtok_r(NULL, ":", &save),
             *from = strtok_r(NULL, ":", &save);
        if (!what || !where || !from) abort();
        plan_what = !strcmp(what, "kill") ? SIGKILL : !strcmp(what, "eio") ? EIO : ENOSPC;
        plan_where = where;
        plan_once = strchr(from, '-') != NULL;
        plan_from = atol(from);
    }
}

static int inside(const char *path) {
    return folder_len && !strncmp(path, folder, folder_len) &&
           (path[folder_len] == '/' || path[folder_len] == 0);
}

/* The path of an open file if it is ours; fills `path`. */
static int ours(int fd, char *path) {
    char link[64];
    if (!folder_len || fd < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    if (n <= 0) return 0;
    path[n] = 0;
    return inside(path);
}

static int absolute(int dir, const char *path, char *out) {
    if (!folder_len) return 0;
    if (path[0] == '/') {
        snprintf(out, 4096, "%s", path);
    } else if (dir == AT_FDCWD) {
        char here[2048];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(out, 4096, "%s/%s", here, path);
    } else {
        char base[4096];
        if (!ours(dir, base)) return 0;
        snprintf(out, 4096, "%.2000s/%.2000s", base, path);
    }
    return inside(out);
}

static void all(const void *data, size_t size) {
    const char *at = data;
    while (size) {
        ssize_t n = REAL(write)(log_fd, at, size);
        if (n < 0) abort();
        at += n;
        size -= (size_t)n;
    }
}

static void note(uint8_t op, const char *path, uint64_t offset, const void *data, size_t size) {
    if (log_fd < 0) return;
    int kept = errno;
    struct head head = {op, {0}, (uint32_t)strlen(path), (uint32_t)size, 0, offset};
    all(&head, sizeof head);
    all(path, head.path);
    all(data, size);
    errno = kept;
}

/* Whether this operation fails: 0, or the errno. Called with the turn held. */
static int fails(char where, int longer) {
    if (!plan_what || !strchr(plan_where, where)) return 0;
    if (switch_path && REAL(access)(switch_path, F_OK)) return 0;
    if (plan_what == ENOSPC && !longer) return 0;
    counted++;
    if (counted < plan_from || (plan_once && counted > plan_from)) return 0;
    if (plan_what == SIGKILL) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    return plan_what;
}

static int longer(int fd, off_t end) {
    struct stat st;
    return fstat(fd, &st) || end > st.st_size;
}

#define REFUSE(where, more)                                                                        \
    do {                                                                                           \
        int wrong = fails(where, more);                                                            \
        if (wrong) {                                                                               \
            pthread_mutex_unlock(&turn);                                                           \
            errno = wrong;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

static ssize_t written(int fd, const void *data, size_t size, off_t at, int placed) {
    char path[4096];
    if (!ours(fd, path))
        return placed ? REAL(pwrite64)(fd, data, size, at) : REAL(write)(fd, data, size);
    pthread_mutex_lock(&turn);
    if (!placed) {
        int flags = fcntl(fd, F_GETFL);
        struct stat st;
        at = (flags & O_APPEND) && !fstat(fd, &st) ? st.st_size : lseek(fd, 0, SEEK_CUR);
    }
    REFUSE('w', longer(fd, at + (off_t)size));
    ssize_t n = placed ? REAL(pwrite64)(fd, data, size, at) : REAL(write)(fd, data, size);
    if (n > 0) note('w', path, (uint64_t)at, data, (size_t)n);
    pthread_mutex_unlock(&turn);
    return n;
}

ssize_t write(int fd, const void *data, size_t size) { return written(fd, data, size, 0, 0); }
ssize_t pwrite(int fd, const void *d, size_t n, off_t at) { return written(fd, d, n, at, 1); }
ssize_t pwrite64(int fd, const void *d, size_t n, off64_t at) { return written(fd, d, n, at, 1); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[4096];
    if (!ours(fd, path)) return REAL(writev)(fd, parts, count);
    return count ? write(fd, parts[0].iov_base, parts[0].iov_len) : 0; /* a short write is one */
}

static ssize_t got(int fd, void *data, size_t size, off_t at) {
    char path[4096];
    if (strchr(plan_where, 'r') && ours(fd, path)) {
        pthread_mutex_lock(&turn);
        REFUSE('r', 1);
        pthread_mutex_unlock(&turn);
    }
    return REAL(pread64)(fd, data, size, at);
}

ssize_t pread(int fd, void *data, size_t size, off_t at) { return got(fd, data, size, at); }
ssize_t pread64(int fd, void *data, size_t size, off64_t at) { return got(fd, data, size, at); }

static int truncated(int fd, off_t size) {
    char path[4096];
    if (!ours(fd, path)) return REAL(ftruncate64)(fd, size);
    pthread_mutex_lock(&turn);
    REFUSE('t', longer(fd, size));
    int done = REAL(ftruncate64)(fd, size);
    if (!done) note('t', path, (uint64_t)size, "", 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

static int synced(int fd, int whole) {
    char path[4096];
    if (!ours(fd, path)) return whole ? REAL(fsync)(fd) : REAL(fdatasync)(fd);
    pthread_mutex_lock(&turn);
    REFUSE('s', 1);
    int done = whole ? REAL(fsync)(fd) : REAL(fdatasync)(fd);
    if (!done) note('s', path, 0, "", 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int fsync(int fd) { return synced(fd, 1); }
int fdatasync(int fd) { return synced(fd, 0); }

static int opened(int dir, const char *given, int flags, mode_t mode) {
    char path[4096];
    if (!(flags & (O_CREAT | O_TRUNC)) || !absolute(dir, given, path))
        return REAL(openat64)(dir, given, flags, mode);
    pthread_mutex_lock(&turn);
    struct stat st;
    int was = !stat(path, &st);
    if (!was) REFUSE('n', 1);
    int fd = REAL(openat64)(dir, given, flags, mode);
    if (fd >= 0 && !was) note('c', path, 0, "", 0);
    if (fd >= 0 && was && (flags & O_TRUNC)) note('t', path, 0, "", 0);
    pthread_mutex_unlock(&turn);
    return fd;
}

#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }

static int removed(int dir, const char *given, int flags) {
    char path[4096];
    if (!absolute(dir, given, path)) return REAL(unlinkat)(dir, given, flags);
    pthread_mutex_lock(&turn);
    REFUSE('n', 0);
    int done = REAL(unlinkat)(dir, given, flags);
    if (!done) note('u', path, 0, "", 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int dir, const char *path, int flags) { return removed(dir, path, flags); }

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    char before[4096], after[4096];
    int out = !absolute(from_dir, from, before), into = !absolute(to_dir, to, after);
    if (out || into) return REAL(renameat)(from_dir, from, to_dir, to);
    pthread_mutex_lock(&turn);
    REFUSE('n', 0);
    int done = REAL(renameat)(from_dir, from, to_dir, to);
    if (!done) note('r', before, 0, after, strlen(after));
    pthread_mutex_unlock(&turn);
    return done;
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

/* What would change a file behind our back falls back to write(). */
ssize_t sendfile64(int out, int in, off64_t *at, size_t size) {
    char path[4096];
    if (!ours(out, path)) return ((ssize_t(*)(int, int, off64_t *, size_t))real("sendfile64"))(out, in, at, size);
    errno = ENOTSOCK;
    return -1;
}

/* A word on a Unix socket: what the hub acknowledges. It is in the log before anybody hears it. */
ssize_t send(int fd, const void *data, size_t size, int flags) {
    if (log_fd >= 0) {
        struct sockaddr_un name;
        socklen_t length = sizeof name;
        if (!getsockname(fd, (struct sockaddr *)&name, &length) && name.sun_family == AF_UNIX) {
            pthread_mutex_lock(&turn);
            note('m', "", 0, data, size);
            pthread_mutex_unlock(&turn);
        }
    }
    return REAL(send)(fd, data, size, flags);
}
