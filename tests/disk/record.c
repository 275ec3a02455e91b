/* Notes what a program does to the files of one folder, in order, and makes one of these calls fail:
 * preloaded into it (LD_PRELOAD).
 *
 * DISK_FOLDER: the folder. DISK_LOG: where it is noted, one after the other: a letter, four numbers of
 * 64 bits (file, place, length of the path, length of the data), path, data.
 *
 *   O opened   W written   T cut to a length   S on the disk (place 1: a folder)   R renamed   U unlinked
 *
 * DISK_FAILS: which call fails, from 1. DISK_ERRNO: with which error. Files whose name ends in "said" are
 * the test's own and never fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;
static const char *folder;

static void put(const void *from, size_t length) {
    const char *next = from;
    while (length > 0) {
        ssize_t written = syscall(SYS_write, out, next, length);
        if (written <= 0) _exit(99);
        next += written;
        length -= (size_t)written;
    }
}

static int watched(const char *path) {
    if (out < 0) {
        const char *log = getenv("DISK_LOG");
        folder = getenv("DISK_FOLDER");
        if (log == NULL || folder == NULL) return 0;
        out = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (out < 0) _exit(98);
    }
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether this call is the one that fails. */
static int fails(const char *path) {
    static long calls, which, error;
    if (calls == 0) {
        const char *number = getenv("DISK_FAILS"), *kind = getenv("DISK_ERRNO");
        which = number == NULL ? 0 : atol(number);
        error = kind == NULL ? EIO : atol(kind);
    }
    size_t length = strlen(path);
    if (length >= 4 && strcmp(path + length - 4, "said") == 0) return 0;
    if (++calls != which) return 0;
    errno = (int)error;
    return 1;
}

static void note(char what, uint64_t file, uint64_t place, const char *path, const void *data, size_t length) {
    uint64_t head[4] = {file, place, strlen(path), length};
    put(&what, 1);
    put(head, sizeof head);
    put(path, strlen(path));
    put(data, length);
}

/* Whether an open file is watched, and which it is. */
static int known(int fd, char *path, struct stat *file) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0 || fstat(fd, file) != 0) return 0;
    path[length] = 0;
    return watched(path) && (S_ISREG(file->st_mode) || S_ISDIR(file->st_mode));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name, first, ...)                                                       \
    int name first {                                                                 \
        mode_t mode = 0;                                                             \
        if (flags & (O_CREAT | O_TMPFILE)) {                                         \
            va_list rest;                                                            \
            va_start(rest, flags);                                                   \
            mode = va_arg(rest, mode_t);                                             \
            va_end(rest);                                                            \
        }                                                                            \
        char full[PATH_MAX];                                                         \
        struct stat file;                                                            \
        pthread_mutex_lock(&lock);                                                   \
        int refused = watched(path) && (flags & O_CREAT) && fails(path);             \
        int fd = refused ? -1 : REAL(name)(__VA_ARGS__, flags, mode);                \
        if (fd >= 0 && known(fd, full, &file) && S_ISREG(file.st_mode)) {            \
            note('O', file.st_ino, 0, full, NULL, 0);                                \
            if (flags & O_TRUNC) note('T', file.st_ino, 0, full, NULL, 0);           \
        }                                                                            \
        pthread_mutex_unlock(&lock);                                                 \
        return fd;                                                                   \
    }

OPEN(open, (const char *path, int flags, ...), path)
OPEN(open64, (const char *path, int flags, ...), path)
OPEN(openat, (int at, const char *path, int flags, ...), at, path)
OPEN(openat64, (int at, const char *path, int flags, ...), at, path)

#define CALL(type, name, declared, call, what, place, data, length)                  \
    type name declared {                                                             \
        char full[PATH_MAX];                                                         \
        struct stat file;                                                            \
        pthread_mutex_lock(&lock);                                                   \
        int ours = known(fd, full, &file);                                           \
        uint64_t where = ours ? (uint64_t)(place) : 0;                               \
        type done = ours && fails(full) ? -1 : REAL(name) call;                      \
        if (ours && done >= 0) note(what, file.st_ino, where, full, data, length);   \
        pthread_mutex_unlock(&lock);                                                 \
        return done;                                                                 \
    }

#define HERE ((fcntl(fd, F_GETFL) & O_APPEND) ? file.st_size : lseek(fd, 0, SEEK_CUR))

CALL(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n), 'W', HERE, from, (size_t)done)
CALL(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at), 'W', at, from, (size_t)done)
CALL(ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at), 'W', at, from, (size_t)done)
CALL(int, ftruncate, (int fd, off_t to), (fd, to), 'T', to, NULL, 0)
CALL(int, ftruncate64, (int fd, off64_t to), (fd, to), 'T', to, NULL, 0)
CALL(int, fsync, (int fd), (fd), 'S', S_ISDIR(file.st_mode), NULL, 0)
CALL(int, fdatasync, (int fd), (fd), 'S', S_ISDIR(file.st_mode), NULL, 0)

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int ours = watched(from);
    int done = ours && fails(from) ? -1 : REAL(rename)(from, to);
    if (done == 0 && ours) note('R', 0, 0, from, to, strlen(to));
    pthread_mutex_unlock(&lock);
    return done;
}

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int ours = watched(path);
    int done = ours && fails(path) ? -1 : REAL(unlink)(path);
    if (done == 0 && ours) note('U', 0, 0, path, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}
